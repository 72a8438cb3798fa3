import { fileURLToPath } from 'node:url';
import type { OpeningRequest, ResidentConversation } from '../format.ts';
import type { JsonObject, PluginSpec } from '../../plugin-spec.ts';
import { checkDescriptor } from './descriptor.ts';

/** Directory with the SDK that plugins import as `fidius`. The Python files stay in `src/` when we are compiled. */
export const SDK_DIRECTORY: string = fileURLToPath(new URL('../../../src/formats/fidius/python', import.meta.url));

/** How a Fidius package is talked to: one process, opened with an entry module and, where given, an interface. */
export const conversation: ResidentConversation = {
  kind: 'resident',
  dialect: fileURLToPath(new URL('../../../src/formats/fidius/python/_charmer_fidius/dialect.py', import.meta.url)),
  opening,
};

function opening(spec: PluginSpec, request: OpeningRequest): JsonObject {
  return {
    ...spec.opening,
    ...(request.interface === undefined ? {} : { interface: checkDescriptor(request.interface) }),
    ...(request.config === undefined ? {} : { config: request.config }),
    ...(request.strict === true ? { strict: true } : {}),
  };
}
