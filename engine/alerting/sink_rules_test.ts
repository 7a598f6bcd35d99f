import { assert } from "../../tests/support/assert.ts";
import type { SinkSpec } from "./sink.ts";
import { sinkUrlProblem } from "./sink_rules.ts";

const TABLE: readonly {
  type: SinkSpec["type"];
  url: string;
  isHttpAllowed?: boolean;
  problem: string | undefined;
}[] = [
  { type: "webhook", url: "https://alerts.example.com/x", problem: undefined },
  { type: "webhook", url: "http://localhost:9/x", problem: undefined },
  { type: "webhook", url: "http://127.0.0.1/x", problem: undefined },
  { type: "webhook", url: "http://[::1]:9/x", problem: undefined },
  { type: "splunk", url: "http://localhost:8088/services/collector", problem: undefined },
  {
    type: "webhook",
    url: "http://alerts.example.com/secret",
    problem: "it is http to alerts.example.com, expected https: only loopback may be spoken to in clear",
  },
  {
    type: "webhook",
    url: "http://localhost.example.com/",
    problem: "it is http to localhost.example.com, expected https: only loopback may be spoken to in clear",
  },
  { type: "webhook", url: "http://alerts.example.com/", isHttpAllowed: true, problem: undefined },
  { type: "webhook", url: "ftp://example.com/", isHttpAllowed: true, problem: "its scheme is ftp, expected https" },
  { type: "webhook", url: "file:///etc/passwd", problem: "its scheme is file, expected https" },
  { type: "webhook", url: "alerts.example.com", problem: "it is no URL" },
  { type: "slack", url: "https://hooks.slack.com/services/T/B/x", problem: undefined },
  {
    type: "slack",
    url: "http://hooks.slack.com/services/T/B/x",
    isHttpAllowed: true,
    problem: "it is http to hooks.slack.com, expected https",
  },
  {
    type: "slack",
    url: "https://evil.example/?hooks.slack.com",
    problem: "its host is evil.example, expected hooks.slack.com",
  },
  {
    type: "slack",
    url: "https://hooks.slack.com.evil.example/",
    problem: "its host is hooks.slack.com.evil.example, expected hooks.slack.com",
  },
];

for (const { type, url, isHttpAllowed = false, problem } of TABLE) {
  Deno.test(`sinkUrlProblem() ${problem === undefined ? "takes" : "refuses"} ${url} for ${type}${isHttpAllowed ? ", http allowed" : ""}`, () => {
    assert.equal(sinkUrlProblem(url, { type, isHttpAllowed }), problem);
  });
}
