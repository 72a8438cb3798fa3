/** Whether an error is the one that a recorded case asks for. */
import { describe } from './remotemedia-workshop.ts';

/** An error as the fixtures write it. */
export interface ExpectedError {
  readonly name?: string;
  readonly kind?: string;
  readonly type?: string;
  readonly code?: string;
  readonly phase?: string;
  readonly message?: string;
  readonly message_has?: readonly string[];
  readonly says?: string;
  readonly traceback_has?: string | readonly string[];
  readonly node?: string;
  readonly input?: number;
  readonly signal?: string;
}

/** The fault of an error, or undefined when it is the expected one. */
export function judgeError(
  expected: ExpectedError,
  error: unknown,
  place?: { node: string; turn: number },
): string | undefined {
  const facts = factsOf(error);
  const wrong = Object.entries(expected).filter(([field, wanted]) => !isRight(field, wanted, { facts, place }));
  if (wrong.length === 0) return undefined;
  return `expected an error with ${JSON.stringify(Object.fromEntries(wrong))}, got ${describe(error)}`;
}

interface Facts {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly type: string | undefined;
  readonly traceback: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly exit: { readonly code?: number | null; readonly signal?: string | null } | undefined;
  /** Everything that the error says: its tail of standard error counts. */
  readonly everything: string;
}

function isRight(
  field: string,
  wanted: unknown,
  seen: { facts: Facts; place?: { node: string; turn: number } | undefined },
): boolean {
  const { facts, place } = seen;
  const texts = (Array.isArray(wanted) ? wanted : [wanted]) as string[];
  switch (field) {
    case 'name':
      return facts.name === wanted;
    case 'kind':
      return facts.details['kind'] === wanted;
    case 'type':
      return facts.type === wanted;
    case 'code':
      return facts.code === wanted;
    case 'phase':
      return facts.details['phase'] === wanted;
    case 'message':
      return facts.message === wanted;
    case 'message_has':
      return texts.every((text) => facts.everything.includes(text));
    case 'traceback_has':
      return texts.every((text) => facts.traceback.includes(text));
    case 'says':
      return (String(wanted).match(/\d+|SIG[A-Z]+/g) ?? []).every((word) => facts.everything.includes(word));
    case 'node':
      return (place?.node ?? facts.details['node']) === wanted;
    case 'input':
      return (place?.turn ?? facts.details['input']) === wanted;
    case 'signal':
      return facts.exit?.signal === wanted || facts.message.includes(String(wanted));
    default:
      return true;
  }
}

function factsOf(error: unknown): Facts {
  const found = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  const details = (found['details'] ?? {}) as Record<string, unknown>;
  const message = typeof found['message'] === 'string' ? found['message'] : String(error);
  const tail = Array.isArray(found['stderrTail']) ? found['stderrTail'].join('\n') : '';
  return {
    name: String(found['name']),
    message,
    code: typeof found['code'] === 'string' ? found['code'] : undefined,
    type: (found['pluginCode'] ?? details['pluginCode']) as string | undefined,
    traceback: typeof found['traceback'] === 'string' ? found['traceback'] : '',
    details,
    exit: found['exit'] as Facts['exit'],
    everything: `${message}\n${tail}\n${causes(found['cause'])}`,
  };
}

function causes(cause: unknown): string {
  return cause instanceof Error ? `${cause.message}\n${causes(cause.cause)}` : '';
}
