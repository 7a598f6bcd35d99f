/**
 * The HTML report in a real browser: it complains of nothing, asks for nothing,
 * fits a phone, can be read, and answers to its reader.
 *
 * @module
 */

import { renderHtmlReport } from "../../engine/diagnose/html/html_report.ts";
import { SEVERITY_COLOURS, STATE_COLOURS } from "../../engine/diagnose/html/palette.ts";
import { LISTED_REPORT } from "../../engine/diagnose/sample_reports.ts";
import { buildResources } from "../../engine/diagnose/sections/test_input.ts";
import { BEGIN_MS, buildPeer, buildReport, PEER, TARGET_ID } from "../../engine/diagnose/test_measurements.ts";
import { assert } from "../support/assert.ts";
import { Chromium, type Page, type View } from "../support/chromium.ts";
import { kernelTest } from "../support/kernel.ts";
import { until } from "../support/until.ts";

const DESK: View = { width: 1280, height: 900, colours: "light" };
const PHONE: View = { width: 390, height: 844, colours: "dark" };
const VIEWS: readonly View[] = [DESK, { ...DESK, colours: "dark" }, PHONE, { ...PHONE, colours: "light" }];

/** Of text on its ground, WCAG 2.2 AA. */
const CONTRAST_MIN = 4.5;

/** A side of what a finger has to hit; WCAG 2.2 AA asks for 24. */
const TAP_PX_MIN = 32;

/** Names as an attacker would choose them, in every place that shows one. */
const HOSTILE_NAME =
  `</script><script>document.title="owned"</script><img src=http://127.0.0.1:9/x onerror=alert(1)>"'\u202e`;

const HOSTILE_REPORT = buildReport(
  {
    processes: [{
      processId: 100,
      command: HOSTILE_NAME,
      commandLine: [HOSTILE_NAME],
      threads: [{
        threadId: 100,
        command: HOSTILE_NAME,
        waits: [{ waitClass: "network", object: PEER, systemCall: HOSTILE_NAME, count: 20, eachMs: 150 }],
      }],
    }],
    peers: [buildPeer({ responseMs: [10], connects: { failedCount: 1, failures: { [HOSTILE_NAME]: 1 } } })],
  },
  [],
  { hasListing: true },
);

/** A long list and peers besides what the sample has. */
function buildLargeReport() {
  const threads = Array.from({ length: 40 }, (_, index) => ({
    threadId: 200 + index,
    command: `worker-${index}-with-a-name-that-takes-room`,
    onCpuMs: 50 * index,
    runnableMs: 10,
    waits: [{
      waitClass: "lock" as const,
      object: { kind: "lock" as const, address: `0x7f${index}` },
      eachMs: 900 - index,
    }],
  }));
  const states = {
    sliceMs: 1000,
    beginMs: BEGIN_MS,
    slices: Array.from(
      { length: 10 },
      (_, index) => [400 + index * 10, 50, 0, 900, 0, 100, 300, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ),
  };
  const events = Array.from({ length: 50 }, (_, index) => ({
    kind: "wait" as const,
    targetId: TARGET_ID,
    endMs: BEGIN_MS + (index + 1) * 190,
    durationMs: 100 + index,
    processId: 200,
    threadId: 200,
    waitClass: "lock" as const,
    systemCall: "futex",
    object: { kind: "lock" as const, address: `0x7f${index}` },
    wakerThreadId: 0,
  }));
  return buildReport(
    {
      processes: [
        { processId: 200, command: "shop", commandLine: ["/usr/bin/shop", "--listen=:8080"], threads },
        { processId: 300, command: "cron", threads: [{ threadId: 300, onCpuMs: 5 }] },
      ],
      peers: [
        buildPeer({ processId: 200, responseMs: [5, 5, 40], sends: { byteCount: 123_456 } }),
        buildPeer({ processId: 200, role: "server", endpoint: { kind: "server", protocol: "tcp", port: 8080 } }),
      ],
      processResources: [
        buildResources({
          processId: 200,
          fdCountBegin: 9,
          fdCountEnd: 1000,
          residentBytesBegin: 4e6,
          residentBytesEnd: 8e9,
        }),
      ],
      cgroups: [{
        targetId: TARGET_ID,
        path: `/kubepods/burstable/pod${"0123456789abcdef".repeat(4)}/shop`,
        cpuLimit: 0.5,
        periodCount: 100,
        throttledPeriodCount: 50,
        throttledMs: 900,
        cpuUsageMs: 4000,
        pressure: { cpuSomeMs: 900, ioSomeMs: 1, ioFullMs: 1, memorySomeMs: 1, memoryFullMs: 1 },
      }],
    },
    events,
    { hasListing: true, states },
  );
}

async function withPage(html: string, view: View, look: (page: Page) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ prefix: "podtrace-report-", suffix: ".html" });
  try {
    await Deno.writeTextFile(path, html);
    await look(await browser().open(path, view));
  } finally {
    await Deno.remove(path);
  }
}

let running: Chromium | undefined;

function browser(): Chromium {
  assert.ok(running !== undefined);
  return running;
}

/** Text whose contrast with what is behind it is too low, and what of the page sticks out to the right. */
const PROBLEMS = `(() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, index) => sum + v * [0.2126, 0.7152, 0.0722][index], 0);
  const groundOf = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(at).backgroundColor);
      if (a > 0.99) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const problems = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.textContent.trim() === "" || element.closest("script,style,svg")) continue;
    const box = element.getBoundingClientRect();
    if (box.width === 0 || box.right < 0) continue;
    const [light, dark] = [luminance(parse(getComputedStyle(element).color)), luminance(groundOf(element))]
      .sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < ${CONTRAST_MIN}) problems.push(contrast.toFixed(2) + " " + element.className + ": " + element.textContent);
    if (box.right > innerWidth + 1 && !element.closest("nav")) problems.push("sticks out: " + element.textContent);
  }
  const width = document.documentElement.scrollWidth;
  if (width > innerWidth) problems.push("the page is " + width + " px wide");
  return problems.slice(0, 5);
})()`;

const SMALL_TARGETS = `[...document.querySelectorAll("button, select, input")]
  .filter((e) => e.getBoundingClientRect().height > 0 && e.getBoundingClientRect().height < ${TAP_PX_MIN})
  .map((e) => e.outerHTML.slice(0, 80))`;

/** Texts of what is shown. */
async function textsOf(page: Page, selector: string): Promise<readonly string[]> {
  const texts = await page.evaluate(
    `[...document.querySelectorAll(${JSON.stringify(selector)})].filter((e) => e.offsetParent !== null)
      .map((e) => e.textContent)`,
  );
  return Array.isArray(texts) ? texts.map(String) : [];
}

async function numberFrom(page: Page, expression: string): Promise<number> {
  return Number(await page.evaluate(expression));
}

async function click(page: Page, selector: string): Promise<void> {
  await page.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
}

async function type(page: Page, selector: string, text: string): Promise<void> {
  await page.evaluate(`(() => {
    const element = document.querySelector(${JSON.stringify(selector)});
    element.value = ${JSON.stringify(text)};
    element.dispatchEvent(new Event("input"));
    element.dispatchEvent(new Event("change"));
  })()`);
}

async function assertReads(page: Page, expression: string, expected: unknown): Promise<void> {
  assert.deepEqual(await page.evaluate(expression), expected, expression);
}

kernelTest("the HTML report in Chromium", { requires: ["chromium"] }, async (t) => {
  await using chromium = await Chromium.start();
  running = chromium;
  const large = renderHtmlReport(buildLargeReport());

  await t.step(
    "complains of nothing, asks for nothing, fits and can be read, on a desk and a phone, light and dark",
    async () => {
      for (const html of [renderHtmlReport(LISTED_REPORT), large, renderHtmlReport(buildReport())]) {
        await withPage(html, DESK, async (page) => {
          await assertReads(page, `document.documentElement.dataset.ready`, "true");
          await page.evaluate(`for (const details of document.querySelectorAll("details")) details.open = true`);
          for (const view of VIEWS) {
            await page.look(view);
            assert.deepEqual(await page.evaluate(PROBLEMS), [], JSON.stringify(view));
            if (view.width < 500) assert.deepEqual(await page.evaluate(SMALL_TARGETS), []);
          }
          assert.deepEqual([page.complaints, page.requests], [[], []]);
        });
      }
    },
  );

  await t.step("incident 7: runs nothing that a name brings along", async () => {
    await withPage(renderHtmlReport(HOSTILE_REPORT), DESK, async (page) => {
      await assertReads(page, "document.title", "podtrace: pid 100 (shop)");
      await assertReads(page, "document.querySelectorAll('img').length", 0);
      assert.deepEqual([page.complaints, page.requests], [[], []]);
      assert.match(String(await page.evaluate(`document.querySelector(".bars b").textContent`)), /^<\/script><script>/);
    });
  });

  await t.step("changes its theme", async () => {
    await withPage(large, DESK, async (page) => {
      const ground = "getComputedStyle(document.body).backgroundColor";
      const light = await page.evaluate(ground);
      await click(page, "#theme");
      await assertReads(page, ground, light);
      await click(page, "#theme");
      const dark = await page.evaluate(ground);
      assert.notEqual(dark, light);
      await assertReads(page, "document.querySelector('#theme').textContent", "Dark");
      await page.look({ ...DESK, colours: "dark" });
      await click(page, "#theme");
      await assertReads(page, ground, dark);
    });
  });

  await t.step("filters, sorts and rescales the bars", async () => {
    await withPage(large, DESK, async (page) => {
      const names = () => textsOf(page, "#bars-threads li:not([hidden]) b");
      assert.equal((await names()).length, 20);
      await click(page, 'button[data-more="bars-threads"]');
      assert.equal((await names()).length, 41);
      await type(page, "#bars-sort", "cpu");
      assert.match((await names())[0] ?? "", /^worker-39-/);
      await type(page, "#bars-filter", "WORKER-7-");
      assert.deepEqual(await names(), ["worker-7-with-a-name-that-takes-room"]);
      await assertReads(page, `document.querySelector("#threads output.count").textContent`, "1 of 41");
      const lockWidth =
        `Number(document.querySelector("#bars-threads li:not([hidden]) rect.s-lock").getAttribute("width"))`;
      const before = await numberFrom(page, lockWidth);
      await click(page, '#threads .toggle[data-state="idle"]');
      const after = await numberFrom(page, lockWidth);
      assert.ok(after > before * 2, `${before} became ${after}`);
      await type(page, "#bars-filter", "");
      await type(page, "#bars-show", "bars-processes");
      assert.deepEqual(await textsOf(page, "#bars-processes li:not([hidden]) b"), ["shop", "cron"]);
      await assertReads(page, `document.querySelector("#bars-threads").offsetParent`, null);
    });
  });

  await t.step("sorts and filters tables, and draws a histogram when its row is opened", async () => {
    await withPage(large, DESK, async (page) => {
      const objects = () => textsOf(page, "#waits-table tbody tr:not([hidden]) .object");
      const [first] = await objects();
      assert.equal(first, "lock 0x7f0");
      await click(page, "#waits-table th:last-child .sort");
      await assertReads(page, `document.querySelector("#waits-table th:last-child").ariaSort`, "descending");
      await click(page, "#waits-table th:last-child .sort");
      await assertReads(page, `document.querySelector("#waits-table th:last-child").ariaSort`, "ascending");
      assert.notEqual((await objects())[0], first);
      await type(page, 'input[data-filters="waits-table"]', "0x7f11");
      assert.deepEqual(await objects(), ["lock 0x7f11"]);
      const bars = `document.querySelectorAll("#waits-table tr:not([hidden]) .histogram path").length`;
      await assertReads(page, bars, 0);
      await page.evaluate(`document.querySelector("#waits-table tr:not([hidden]) details").open = true`);
      await until(async () => await page.evaluate(bars) === 1, { what: "the histogram is drawn" });
    });
  });

  await t.step("reads a moment of its charts, and lets the events follow a span", async () => {
    await withPage(large, DESK, async (page) => {
      const shown = `document.querySelectorAll("#events-table tbody tr:not([hidden])").length`;
      await click(page, 'button[data-more="events-table"]');
      await assertReads(page, shown, 50);
      const readout = `document.querySelector("#course-states .readout").textContent`;
      await page.evaluate(`document.querySelector("#course-states .area").focus()`);
      await page.press("Home");
      await assertReads(
        page,
        readout,
        "03:04:05.0 to 03:04:06.0: network 0.90, on CPU 0.40, lock 0.30, disk write 0.10, waiting for a CPU 0.05",
      );
      await page.press("ArrowRight");
      assert.match(String(await page.evaluate(readout)), /^03:04:06\.0 to 03:04:07\.0: /);
      await page.press("ArrowRight", { hasShift: true });
      assert.match(String(await page.evaluate(readout)), /^03:04:06\.0 to 03:04:08\.0: /);
      const within = await numberFrom(page, shown);
      assert.ok(within > 5 && within < 20, `${within} events in 2 of 10 s`);
      await page.press("Escape");
      await assertReads(page, shown, 50);

      const area = `document.querySelector("#course-slow .area")`;
      await page.evaluate(`${area}.scrollIntoView({ block: "center" })`);
      const box = {
        x: await numberFrom(page, `${area}.getBoundingClientRect().x`),
        y: await numberFrom(page, `${area}.getBoundingClientRect().y`) + 20,
        width: await numberFrom(page, `${area}.getBoundingClientRect().width`),
      };
      await page.drag({ x: box.x + box.width * 0.5, y: box.y }, { x: box.x + box.width * 0.75, y: box.y });
      const dragged = await numberFrom(page, shown);
      assert.ok(dragged > 5 && dragged < 25, `${dragged} events in a quarter of the run`);

      const path = `document.querySelector("#course-states path.s-network").getAttribute("d")`;
      const drawn = await page.evaluate(path);
      await click(page, '#course-states .toggle[data-state="onCpu"]');
      assert.notEqual(await page.evaluate(path), drawn);
      assert.deepEqual(page.complaints, []);
    });
  });
});

Deno.test("the palette has a light and a dark colour for everything", () => {
  for (const [name, pair] of Object.entries({ ...SEVERITY_COLOURS, ...STATE_COLOURS })) {
    for (const colour of pair) assert.match(colour, /^#[0-9a-f]{6}$/, name);
  }
});
