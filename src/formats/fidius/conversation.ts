import { fileURLToPath } from 'node:url';
import type { OpeningRequest, ResidentConversation } from '../format.ts';
import type { JsonObject, Operation, PluginSpec } from '../../plugin-spec.ts';
import { decodeType } from './decode-type.ts';
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
  decodeValue,
};

function opening(spec: PluginSpec, request: OpeningRequest): JsonObject {
  return {
    ...spec.opening,
    ...(request.interface === undefined ? {} : { interface: checkDescriptor(request.interface) }),
    ...(request.config === undefined ? {} : { config: request.config }),
    ...(request.strict === true ? { strict: true } : {}),
  };
}

/** Reads a result, or an item of a stream, as the type that the interface gives its method. */
function decodeValue(operation: Operation, value: unknown, request: OpeningRequest): unknown {
  if (request.interface === undefined || request.strict === true || operation.wireMode === 'raw') return value;
  const { methods, types } = described(request.interface);
  const method = methods.find((each) => each.name === operation.name);
  if (method?.returns === undefined) return value;
  return decodeType(method.returns, value, { operation: operation.name, types });
}

function described(descriptor: JsonObject): {
  methods: readonly MethodDescriptor[];
  types: NonNullable<InterfaceDescriptor['types']>;
} {
  // `opening` has checked the descriptor before the first value comes.
  const { methods, types = {} } = descriptor as JsonObject & InterfaceDescriptor;
  return { methods, types };
}
