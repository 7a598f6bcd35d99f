/**
 * What makes the HTML report answer to its reader. It is bundled into the page
 * (`generate`) and runs nowhere else; it reads what the page holds and fetches
 * nothing.
 *
 * @module
 */

/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

import { startBars } from "./bars.ts";
import { startCourses } from "./courses.ts";
import { startHistograms } from "./histograms.ts";
import { startTables } from "./tables.ts";
import { startTheme } from "./theme.ts";

startTheme();
startBars();
startTables();
startHistograms();
startCourses();
document.documentElement.dataset["ready"] = "true";
