/**
 * The engine, from kernel to event to measurement: everything a mode of
 * podtrace may use besides the seam itself, which is `engine/api`.
 *
 * Types that are only here because another one has them as a member stand at
 * the end of their room.
 *
 * @module
 */

export { AlertDispatcher } from "./alerting/dispatcher.ts";
export type { Admission, AlertingOptions, AlertingSettings, FlushOptions } from "./alerting/dispatcher.ts";
export type { HttpPort } from "./alerting/send.ts";
export type { SinkSpec } from "./alerting/sink.ts";
export { sinkUrlProblem } from "./alerting/sink_rules.ts";

export { builtObjectPath, isSelfContained, readBpfObjectFile, readChosenBpfObject } from "./backend/build_files.ts";
export { probeTracing } from "./backend/tracing_probe.ts";
export type { ProbedHook, TracingProbe, TracingProbeOptions } from "./backend/tracing_probe.ts";
export type { HookProbe, ProviderProbe, ProviderVerdict } from "./backend/hook_probe.ts";
export type { MissingMap } from "./backend/object_loader.ts";
export { openLibbpfBackend } from "./backend/open_libbpf_backend.ts";
export type { LibbpfBackendOptions } from "./backend/open_libbpf_backend.ts";
export type { LibbpfBackend } from "./backend/libbpf_backend.ts";

export { ReplayedRun } from "./backend/replayed_run.ts";
export type { ReplayOptions } from "./backend/replayed_run.ts";
export { RunRecording } from "./backend/run_recording.ts";
export type { RecordingFacts, RunRecordingOptions } from "./backend/run_recording.ts";
export { aFlag, aList, anObjectOf, aNumber, aSet, aTable, aText, maybe, oneOf } from "./recording/shapes.ts";
export type { Shape } from "./recording/shapes.ts";
export type { RecordingTape } from "./recording/recording_tape.ts";
export type { RecordingSource } from "./recording/recording_reader.ts";
export type { RecordingSink } from "./recording/recording_writer.ts";

export { openEngine } from "./core/engine.ts";
export type { EngineOptions } from "./core/engine.ts";
export { toSystemCallLookup } from "./core/event_mapper.ts";
export { toSnapshotRows } from "./core/snapshot_rows.ts";
export type { SnapshotRow } from "./core/snapshot_rows.ts";
export { measureWallOffsetMs } from "./core/wall_offset.ts";
export type { WordReader } from "./core/lock_owners.ts";

export { DiagnosisAccumulator } from "./diagnose/accumulator.ts";
export { toExporterAlert } from "./alerting/exporter_alert.ts";
export { toAlerts } from "./diagnose/alerts.ts";
export { describeSink } from "./diagnose/text_alerting.ts";
export type { AccumulatorOptions } from "./diagnose/accumulator.ts";
export { describeTargets } from "./diagnose/answer.ts";
export { renderCsvReport } from "./diagnose/csv_report.ts";
export { categoryOfEvent, timeOfEvent, toEventJson, toEventLine } from "./diagnose/event_line.ts";
export type { EventLineOptions } from "./diagnose/event_line.ts";
export type { Finding } from "./diagnose/finding.ts";
export { renderHtmlReport } from "./diagnose/html/html_report.ts";
export { renderJsonReport } from "./diagnose/json_report.ts";
export { incompleteCategories, toReport, worstSeverity } from "./diagnose/report.ts";
export type { EventList } from "./diagnose/event_log.ts";
export type { Report, ReportListing, ReportOptions, RunEnd } from "./diagnose/report.ts";
export { reportJsonSchema } from "./diagnose/report_schema.ts";
export { renderJsonSnapshot, renderTextSnapshot } from "./diagnose/snapshot_report.ts";
export type { NowRow, SnapshotOptions } from "./diagnose/snapshot_report.ts";
export { renderTopScreen, topOffsetMax } from "./diagnose/top_screen.ts";
export type { ScreenSize, TopFrame } from "./diagnose/top_screen.ts";
export { BLOCKED_GROUPS, TOP_ORDERS, toTopRows, toTopTotals } from "./diagnose/top_rows.ts";
export type { BlockedGroup, ObjectTotal, ThreadTotals, TopOrder, TopRow, TopTotals } from "./diagnose/top_rows.ts";
export type { TextReportOptions } from "./diagnose/text_report.ts";
export { renderTextReport } from "./diagnose/text_report.ts";
export type { Absences } from "./diagnose/absences.ts";
export type { ChildGroup, DigestSummary, SlowCause } from "./diagnose/event_digest.ts";
export type { ProcessFacts, ThreadFacts, TimeSums } from "./diagnose/facts.ts";
export { RULE_IDS } from "./diagnose/finding.ts";
export type {
  CpuEvidence,
  Evidence,
  FailureEvidence,
  HolderEvidence,
  RuleId,
  StackShare,
  ThreadName,
  ThreadShare,
  WaitFigures,
} from "./diagnose/finding.ts";
export type { EventCounts } from "./diagnose/event_times.ts";
export type { JsonReport } from "./diagnose/report_schema.ts";
export type { ReportSections } from "./diagnose/sections/all_sections.ts";
export type { FiguresOf, SectionId } from "./diagnose/sections/section_input.ts";
export type { HotStack, ProfileFrame, ProfilePart, StackProfile, UnnamedFrames } from "./diagnose/stack_profile.ts";
export type { LedgerCheck, TimeLedger, WaitGroup } from "./diagnose/time_ledger.ts";

export type { Timeline } from "./diagnose/timeline.ts";

export type { HostView } from "./host/container_resolution.ts";
export { createHostReader, openHostView } from "./host/host_reader.ts";
export type { HostPaths } from "./host/host_reader.ts";
export type { PathHolder } from "./host/symbol_files.ts";
export { readEnvironmentFacts } from "./host/environment_facts.ts";
export type { CgroupLayout, EnvironmentFacts, RuntimeSocket, SecurityFacts } from "./host/environment_facts.ts";
export { missingForTracing, readKernelFacts } from "./host/kernel_facts.ts";
export type { KernelFacts, Lockdown } from "./host/kernel_facts.ts";
export type { Architecture } from "./host/system_calls.ts";
export {
  resolveCgroup,
  resolveContainerTarget,
  resolveProcess,
  resolveProcesses,
  systemWideTarget,
} from "./host/target_resolution.ts";
export type { ResolvedTarget, ResolvedTargets } from "./host/target_resolution.ts";
export type { CgroupMount, CgroupMounts } from "./host/cgroup_parsers.ts";
export type { CgroupFs, VisitedGroup } from "./host/cgroupfs.ts";
export type { KernelRelease } from "./host/kernel_facts.ts";
export type { NamespaceKind, PressureResource, ProcessTree, ProcFs } from "./host/procfs.ts";
export type {
  CgroupLine,
  IoCounters,
  MemoryMapping,
  ProcessStat,
  ProcessStatus,
  SchedStat,
} from "./host/procfs_parsers.ts";
export { SOCKET_STATES } from "./host/socket_tables.ts";
export type { InternetSocket, InternetTable, SocketState, UnixSocket } from "./host/socket_tables.ts";
