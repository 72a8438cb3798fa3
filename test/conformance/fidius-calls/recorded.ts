import type { Literal } from './literal-json.ts';

/** Parts of `calls.json`; numbers inside values keep their spelling. */
export interface Descriptor {
  readonly interface: string;
  readonly hash: string;
  readonly methods: readonly { readonly name: string; readonly raw: boolean }[];
}

export interface RecordedError {
  readonly kind: string;
  readonly text: string;
  readonly code?: string;
  readonly message?: string;
  readonly details?: string | null;
}

export interface RecordedValue {
  readonly value?: string;
  readonly rust?: string;
  readonly json?: Literal;
  readonly json_error?: string;
}

export interface Step {
  readonly op: string;
  readonly package?: string;
  readonly host?: string | Descriptor;
  readonly config?: RecordedValue;
  readonly as?: string;
  readonly on?: string;
  readonly method?: number;
  readonly name?: string | null;
  readonly args?: RecordedValue;
  readonly ret?: string;
  readonly bytes?: readonly number[];
  readonly repeat?: number;
  readonly items?: string | RecordedValue;
  readonly count?: number;
  readonly take?: number;
  readonly probe?: string;
  readonly after_drop_probe?: string;
  readonly code?: string;
}

export interface CaseInput {
  readonly packages?: string | Readonly<Record<string, string | Tree>>;
  readonly entry_modules?: string | Readonly<Record<string, string>>;
  readonly before?: readonly Step[];
  readonly steps?: readonly Step[];
  readonly sdk_on_pythonpath?: boolean;
}

export type Tree = Readonly<Record<string, string>>;

/** A result of a step, as recorded. */
export interface StepResult {
  readonly ok?: unknown;
  readonly neutral?: string | RecordedError;
  readonly err?: RecordedError;
  readonly ok_bytes?: readonly number[];
  readonly ok_len?: number;
  readonly ok_head?: readonly number[];
  readonly ok_tail?: readonly number[];
  readonly items?: readonly ('END' | StepResult)[];
  readonly probes?: readonly { readonly ok?: readonly string[] }[];
  readonly pulls?: readonly string[];
}

export interface Calls {
  readonly rust_types: string;
  readonly return_types: readonly string[];
  readonly values: Readonly<Record<string, RecordedValue>>;
  readonly packages: Readonly<Record<string, Tree>>;
  readonly hosts: Readonly<Record<string, Descriptor>>;
  readonly inputs: {
    readonly host_to_python: CaseInput;
    readonly python_to_rust: CaseInput;
    readonly raw: CaseInput;
    readonly errors: Readonly<Record<string, CaseInput>>;
  };
  readonly host_to_python: readonly (RecordedValue & {
    readonly python_args?: string;
    readonly python_types?: string;
    readonly float_hex?: string;
    readonly err?: RecordedError;
  })[];
  readonly python_to_rust: readonly {
    readonly python: string;
    readonly method: string;
    readonly neutral: string | RecordedError;
    readonly as: Readonly<Record<string, StepResult | RecordedError>>;
  }[];
  readonly raw: readonly (StepResult & { readonly returns?: string; readonly case?: string; readonly step: Step })[];
  readonly errors: Readonly<Record<string, Readonly<Record<string, RecordedError | string>>>>;
  readonly load: Readonly<
    Record<
      string,
      {
        readonly files: Tree;
        readonly entry_module: string | null;
        readonly host: string | Descriptor;
        readonly package: string;
        readonly load: StepResult;
        readonly call?: StepResult;
        readonly call_step?: Step;
      }
    >
  >;
  readonly server_streams: Readonly<Record<string, Row>>;
  readonly fed_streams: {
    readonly client: Readonly<Record<string, Row>> & { readonly items: Readonly<Record<string, Row>> };
    readonly bidi: Readonly<Record<string, Row>>;
  };
  readonly configured: Readonly<
    Record<string, Row & { readonly load?: StepResult; readonly see?: StepResult; readonly call?: StepResult }>
  >;
  readonly fixtures: Readonly<Record<string, Row>>;
  readonly environment: Readonly<Record<string, Row & Readonly<Record<string, unknown>>>>;
}

/** A row with its own input: one result, or several in the order of its steps. */
export type Row = StepResult & { readonly input: CaseInput; readonly results?: readonly StepResult[] };
