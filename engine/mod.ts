/**
 * The engine, from kernel to event to measurement: everything a mode of
 * podtrace may use besides the seam itself, which is `engine/api`.
 *
 * @module
 */

export { readBpfObjectFile } from "./backend/bpf_object_file.ts";
export { openLibbpfBackend } from "./backend/open_libbpf_backend.ts";
export type { LibbpfBackendOptions } from "./backend/open_libbpf_backend.ts";

export { openEngine } from "./core/engine.ts";
export type { EngineOptions } from "./core/engine.ts";
export { toSystemCallLookup } from "./core/event_mapper.ts";
export { toSnapshotRows } from "./core/snapshot_rows.ts";
export type { SnapshotRow } from "./core/snapshot_rows.ts";
export { measureWallOffsetMs } from "./core/wall_offset.ts";

export { DiagnosisAccumulator } from "./diagnose/accumulator.ts";
export type { Finding } from "./diagnose/finding.ts";
export { renderJsonReport } from "./diagnose/json_report.ts";
export { incompleteCategories, toReport, worstSeverity } from "./diagnose/report.ts";
export type { Report, ReportOptions, RunEnd } from "./diagnose/report.ts";
export { reportJsonSchema } from "./diagnose/report_schema.ts";
export { compareSeverity, SEVERITIES } from "./diagnose/severity.ts";
export type { Severity } from "./diagnose/severity.ts";
export { renderJsonSnapshot, renderTextSnapshot } from "./diagnose/snapshot_report.ts";
export { renderTextReport } from "./diagnose/text_report.ts";

export type { HostView } from "./host/container_resolution.ts";
export { createHostReader, openHostView } from "./host/host_reader.ts";
export type { HostPaths } from "./host/host_reader.ts";
export { missingForTracing, readKernelFacts } from "./host/kernel_facts.ts";
export type { KernelFacts } from "./host/kernel_facts.ts";
export type { Architecture } from "./host/system_calls.ts";
export { resolveCgroup, resolveContainerTarget, resolveProcess, systemWideTarget } from "./host/target_resolution.ts";
export type { ResolvedTarget } from "./host/target_resolution.ts";
