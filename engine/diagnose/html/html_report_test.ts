import { assert } from "../../../tests/support/assert.ts";
import { checkProperty, property } from "../../../tests/support/property.ts";
import { HTML_THREAD_ROWS_MAX } from "../../api/limits.ts";
import type { FilterCategory } from "../../api/filter.ts";
import { sanitizeText } from "../../api/text.ts";
import type { WaitObject } from "../../api/measurements.ts";
import { HEALTHY_REPORT, LISTED_REPORT, PARTIAL_REPORT, TROUBLED_REPORT } from "../sample_reports.ts";
import { BEGIN_MS, buildPeer, buildReport, TARGET_ID } from "../test_measurements.ts";
import { renderHtmlReport } from "./html_report.ts";

Deno.test("renderHtmlReport() is one file that may fetch nothing and run nothing but its own script", () => {
  const page = renderHtmlReport(LISTED_REPORT);
  assert.match(page, /^<!DOCTYPE html>/);
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1]?.replaceAll("&#39;", "'");
  assert.match(
    policy ?? "",
    /^default-src 'none'; style-src 'sha256-[^' ]+'; script-src 'sha256-[^' ]+'; base-uri 'none'/,
  );
  assert.doesNotMatch(page, /\b(src|srcset|action|formaction|ping|background|style)\s*=|@import|url\(|unsafe-inline/);
  assert.equal(page.match(/<script\b/g)?.length, 2, "data of one chart and the script");
  for (const [, target] of page.matchAll(/href="([^"]*)"/g)) assert.match(target ?? "", /^#/);
});

Deno.test("renderHtmlReport() has the answer, the findings and the next step before everything else", () => {
  const page = renderHtmlReport(TROUBLED_REPORT);
  const places = [
    "3 findings above info, the worst ERROR",
    "10.0.0.9:5432",
    "<b>Next</b>",
    "Where the time went",
    'id="waits"',
    "How complete it is",
    "What it cost to look",
  ].map((text) => page.indexOf(text));
  assert.ok(places.every((place) => place > 0), JSON.stringify(places));
  assert.deepEqual(places, places.toSorted((first, second) => first - second));
});

Deno.test("renderHtmlReport() says nothing of health that was not seen whole", () => {
  assert.match(renderHtmlReport(HEALTHY_REPORT), /<h1>Nothing above info was found\. Looked at/);
  const page = renderHtmlReport(PARTIAL_REPORT);
  assert.doesNotMatch(page, /Nothing above info was found\. /);
  assert.match(page, /<b>PARTIAL 42\.4%<\/b> waits: /);
  assert.match(page, /<b>BLIND<\/b> lifecycle/);
});

Deno.test("renderHtmlReport() of a run that saw no thread is one sentence and the books", () => {
  const page = renderHtmlReport(buildReport());
  assert.match(page, /<h1>No events were collected/);
  assert.match(page, /How complete it is/);
  assert.doesNotMatch(page, /Where the time went/);
});

Deno.test("renderHtmlReport() tells only of the categories that were asked for", () => {
  const idsOf = (categories: readonly FilterCategory[]) => {
    const page = renderHtmlReport({ ...LISTED_REPORT, peers: [buildPeer()], categories: new Set(categories) });
    const ids = [...page.matchAll(/<section id="([a-z]+)"/g)].map(([, id]) => id);
    assert.deepEqual([...page.matchAll(/<a href="#([a-z]+)">/g)].map(([, id]) => id), ids);
    return ids;
  };
  assert.deepEqual(idsOf(["time"]), [
    "findings",
    "threads",
    "course",
    "waits",
    "events",
    "figures",
    "completeness",
    "cost",
  ]);
  assert.deepEqual(idsOf(["net"]), ["findings", "peers", "events", "figures", "completeness", "cost"]);
});

Deno.test("renderHtmlReport() shows the hottest stacks, computing first, and none where none were taken", () => {
  const page = renderHtmlReport(buildReport({
    processes: [{
      processId: 100,
      command: "shop",
      threads: [{
        threadId: 100,
        waits: [{
          waitClass: "lock",
          object: { kind: "lock", address: "0x1" },
          eachMs: 900,
          stack: ["take+0x1", "main"],
        }],
      }],
    }],
    cpuSamples: [{ stack: ["parse+0x4", "main+0x8"], sampleCount: 40 }],
  }));
  const section = /<section id="stacks".*?<\/section>/s.exec(page)?.[0] ?? "";
  assert.match(
    section,
    /computing<\/span> about .*<li>parse<\/li><li>main<\/li>.*lock<\/span> 900 ms in 1 wait.*<li>take<\/li>/s,
  );
  assert.ok(!renderHtmlReport(TROUBLED_REPORT).includes('id="stacks"'));
});

Deno.test("renderHtmlReport() sums errors of one name over sends, receives and connects", () => {
  const peer = buildPeer({
    sends: { failedCount: 2, errors: { ECONNRESET: 2 } },
    receives: { failedCount: 3, errors: { ECONNRESET: 3 } },
    connects: { attemptCount: 1, failedCount: 1, failures: { ECONNRESET: 1 } },
  });
  assert.match(renderHtmlReport({ ...LISTED_REPORT, peers: [peer] }), /<li>errors: ECONNRESET 6<\/li>/);
});

Deno.test("renderHtmlReport() names the error of an operation on a file", () => {
  const event = {
    kind: "file",
    targetId: TARGET_ID,
    processId: 100,
    threadId: 100,
    operation: "open",
    object: { kind: "path", path: "/etc/absent" },
    errno: 2,
    byteCount: 0,
    durationMs: 1,
    systemCall: "openat",
    endMs: BEGIN_MS + 2,
  } as const;
  const { listing } = LISTED_REPORT;
  assert.ok(listing !== undefined);
  const page = renderHtmlReport({ ...LISTED_REPORT, listing: { ...listing, events: [event] } });
  assert.match(page, /<span class="failure">ENOENT<\/span>/);
});

Deno.test("renderHtmlReport() hides secrets of command lines", () => {
  assert.ok(!renderHtmlReport(TROUBLED_REPORT).includes("hunter2"));
});

Deno.test("renderHtmlReport() sums up the threads that have no bar of their own", () => {
  const threads = Array.from(
    { length: HTML_THREAD_ROWS_MAX + 7 },
    (_, index) => ({ threadId: 100 + index, onCpuMs: 9 }),
  );
  const page = renderHtmlReport(buildReport({ processes: [{ processId: 100, command: "shop", threads }] }));
  assert.match(page, /<b>7 more threads<\/b> <span>together/);
  assert.equal(page.match(/<li class="row"/g)?.length, HTML_THREAD_ROWS_MAX);
});

const HOSTILE = [
  "</script><script>alert(1)</script>",
  "</style><img src=x onerror=alert(1)>",
  '"><svg onload=alert(1)>',
  "'` onfocus=alert(1) autofocus x='",
  "<!--",
  "]]>",
  "${alert(1)}",
  "\u202egnp.exe",
  "\u2028\u2029\0\x1b[2J",
  "&lt;b&gt;",
];

/** Element names of the page, in order: what a name slipped in would change. */
function skeletonOf(page: string): string {
  return (page.match(/<\/?[a-z][a-z0-9]*|<!/gi) ?? []).join("");
}

Deno.test("incident 7: renderHtmlReport() has the same elements whatever names the target has", () => {
  const name = property.oneof(
    property.constantFrom(...HOSTILE),
    property.string({ unit: "binary", maxLength: 80 }),
    property.array(property.constantFrom(...HOSTILE, "a", " "), { maxLength: 4 }).map((parts) => parts.join("")),
  );
  const pageOf = (text: string) => {
    const object: WaitObject = { kind: "file", id: "1:2:3", path: text };
    const endpoint = { kind: "unixPeer", id: "7", path: text } as const;
    return renderHtmlReport(buildReport({
      processes: [{
        processId: 100,
        command: text,
        commandLine: ["shop", text],
        threads: [{
          threadId: 100,
          command: text,
          onCpuMs: 100,
          waits: [{
            waitClass: "diskRead",
            object,
            systemCall: text,
            count: 40,
            eachMs: 150,
            stack: [sanitizeText(text), "main"], // frames come sanitised
            waker: { threadId: 7, processId: 7, command: text },
          }],
        }],
      }],
      peers: [buildPeer({ endpoint, responseMs: [4, 9], connects: { failedCount: 1, failures: { [text]: 1 } } })],
    }, [{
      kind: "wait",
      targetId: LISTED_REPORT.targets[0]?.id ?? (() => {
        throw new RangeError("no target");
      })(),
      endMs: 52_000,
      durationMs: 150,
      processId: 100,
      threadId: 100,
      waitClass: "diskRead",
      systemCall: text,
      object,
      wakerThreadId: 0,
    }], { hasListing: true }));
  };
  const expected = skeletonOf(pageOf("plain"));
  checkProperty(name, (text) => {
    const page = pageOf(text === "" ? "x" : text);
    assert.equal(skeletonOf(page), expected);
    assert.ok(!/[\u202a-\u202e\u2066-\u2069\u2028\u2029\0\x1b]/.test(page), "a character that steers");
    // deno-lint-ignore no-control-regex -- these are what must not be there
    assert.ok(!/[\x00-\x09\x0b-\x1f]/.test(page.replace(/<script>.*?<\/script>/gs, "")), "a control character");
  }, { runCount: 60 });
});
