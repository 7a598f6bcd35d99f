/**
 * Exporter specs: the part of a bundle the engine turns into exporters.
 *
 * @module
 */

/** The diagnosis accumulator; `diagnose` registers its factory. */
export interface DiagnosisExporterSpec {
  readonly type: "diagnosis";
}

export type ExporterSpec = DiagnosisExporterSpec;
