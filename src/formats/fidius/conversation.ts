import { fileURLToPath } from 'node:url';
import type { OpeningRequest, ResidentConversation } from '../format.ts';
import type { JsonObject, Operation, PluginSpec } from '../../plugin-spec.ts';
import { decodeType } from './decode-type.ts';
import { encoderOf } from './encode-type.ts';
import { markedJson } from './json-text.ts';
import { checkDescriptor, type InterfaceDescriptor, type MethodDescriptor } from './descriptor.ts';

// The Python files stay in `src/` when we are compiled, three levels below the package either way.
const PYTHON = new URL('../../../src/formats/fidius/python/', import.meta.url);

/** Directory with the SDK that plugins import as `fidius`. */
export const SDK_DIRECTORY: string = fileURLToPath(new URL('.', PYTHON)).replace(/[\\/]$/, '');

/** How a Fidius package is talked to: one process, opened with an entry module and, where given, an interface. */
export const conversation: ResidentConversation = {
  kind: 'resident',
  dialect: fileURLToPath(new URL('_charmer_fidius/dialect.py', PYTHON)),
  opening,
  encodeArguments,
  decoderOf,
};

function opening(spec: PluginSpec, request: OpeningRequest): JsonObject {
  return {
    ...spec.opening,
    ...(request.interface === undefined ? {} : { interface: checkDescriptor(request.interface) }),
    ...(request.config === undefined ? {} : { config: request.config }),
    ...(request.strict === true ? { strict: true } : {}),
  };
}

/** Arguments as the original host sends them, where the interface gives their types. */
function encodeArguments(operation: Operation, args: readonly unknown[], request: OpeningRequest): readonly unknown[] {
  if (request.interface === undefined || operation.wireMode === 'raw') return args;
  const { methods, types } = described(request.interface);
  const declared = methods.find((each) => each.name === operation.name)?.args;
  if (declared === undefined) return args;
  return args.map((value, index) => {
    const type = declared[index]?.type;
    const encoder = type === undefined ? undefined : encoderOf(type, types);
    return encoder === undefined ? value : encoder(value);
  });
}

/** Reads results, or the items of a stream, as the type that the interface gives their method. */
function decoderOf(operation: Operation, request: OpeningRequest): ((value: unknown) => unknown) | undefined {
  if (request.interface === undefined || request.strict === true || operation.wireMode === 'raw') return undefined;
  const { methods, types } = described(request.interface);
  const returns = methods.find((each) => each.name === operation.name)?.returns;
  if (returns === undefined) return undefined;
  const place = { operation: operation.name, types };
  return (value) => (markedJson(value) === undefined ? decodeType(returns, value, place) : value);
}

function described(descriptor: JsonObject): {
  methods: readonly MethodDescriptor[];
  types: NonNullable<InterfaceDescriptor['types']>;
} {
  // `opening` has checked the descriptor before the first value comes.
  const { methods, types = {} } = descriptor as InterfaceDescriptor & JsonObject;
  return { methods, types };
}
