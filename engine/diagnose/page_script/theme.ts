/**
 * Light, dark, or as the system says.
 *
 * @module
 */

/// <reference lib="dom" />

import { byId } from "./elements.ts";

const THEMES = [
  { name: "", label: "Auto", said: "Theme: as the system" },
  { name: "light", label: "Light", said: "Theme: light" },
  { name: "dark", label: "Dark", said: "Theme: dark" },
] as const;

/** Makes the button go through the themes; nothing is remembered, a file has nowhere to. */
export function startTheme(): void {
  const button = byId("theme", HTMLButtonElement);
  if (button === undefined) return;
  let index = 0;
  button.hidden = false;
  button.addEventListener("click", () => {
    index = (index + 1) % THEMES.length;
    const { name, label, said } = THEMES[index] ?? THEMES[0];
    if (name === "") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = name;
    button.textContent = label;
    button.setAttribute("aria-label", said);
  });
}
