/**
 * Exporter specs: the part of a bundle the engine turns into exporters.
 *
 * @module
 */

/** The diagnosis accumulator; `diagnose` registers its factory. */
export interface DiagnosisExporterSpec {
  /** Picks the factory. */
  readonly type: "diagnosis";
}

/** What an exporter is made of. */
export type ExporterSpec = DiagnosisExporterSpec;
