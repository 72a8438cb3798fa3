/**
 * The values of media pipelines: one tagged union, with bytes inside.
 * Names in Python and in JSON are the same in snake case (`sample_rate` for `sampleRate`).
 */

/** What every kind may carry beside its own fields. */
export interface RuntimeDataExtras {
  /** Free facts set by an author or a client, for example `{ pts_us: 20000 }`. */
  readonly annotations?: Readonly<Record<string, unknown>>;
  /** Session that the value belongs to, where it is not the one that it travels in. */
  readonly session?: string;
}

/** One value that travels through a pipeline. */
export type RuntimeData =
  | ({
      readonly type: 'text';
      readonly data: string;
      readonly channel?: string;
      readonly language?: string;
    } & RuntimeDataExtras)
  | ({
      readonly type: 'audio';
      /** Interleaved samples in [-1, 1]. */
      readonly samples: Float32Array;
      /** In Hz. */
      readonly sampleRate: number;
      readonly channels: number;
    } & RuntimeDataExtras)
  | ({ readonly type: 'json'; readonly value: unknown } & RuntimeDataExtras)
  | ({ readonly type: 'binary'; readonly data: Uint8Array } & RuntimeDataExtras)
  | ({
      readonly type: 'tensor';
      readonly data: Uint8Array;
      readonly shape: readonly number[];
      /** `f32`, `f64`, `i32`, `i64`, `u8` or `u16`. */
      readonly dtype: string;
      readonly extras?: unknown;
    } & RuntimeDataExtras)
  | ({
      readonly type: 'numpy';
      readonly data: Uint8Array;
      readonly shape: readonly number[];
      /** NumPy's own text, for example `<f4`. */
      readonly dtype: string;
    } & RuntimeDataExtras)
  | ({
      readonly type: 'video';
      readonly data: Uint8Array;
      /** In pixels. */
      readonly width: number;
      /** In pixels. */
      readonly height: number;
      /** `rgb`, `rgba`, `yuv420`, `yuv422`, `yuv444` or `bgr`. */
      readonly format: string;
      readonly fps?: number;
      readonly codec?: string;
      readonly frameNumber?: number;
      readonly isKeyframe?: boolean;
    } & RuntimeDataExtras)
  | ({
      readonly type: 'image';
      readonly data: Uint8Array;
      readonly width: number;
      readonly height: number;
      readonly format: string;
    } & RuntimeDataExtras)
  | ({
      readonly type: 'file';
      readonly path: string;
      readonly filename?: string;
      readonly mimeType?: string;
      /** In bytes. */
      readonly size?: number;
      readonly offset?: number;
      readonly length?: number;
      readonly streamId?: string;
    } & RuntimeDataExtras)
  | ({
      readonly type: 'control';
      readonly messageType: string;
      readonly segmentId?: string;
      readonly timestampMs?: number;
      readonly metadata?: unknown;
      readonly fields?: Readonly<Record<string, unknown>>;
    } & RuntimeDataExtras);
