import { generateKeys } from '../../signing/keygen.ts';
import { readPublicKey, readSecretKey } from '../../signing/keys.ts';
import { signatureFileFor, signFile, verifyFile } from '../../signing/sign-file.ts';
import { TrustError } from '../../errors.ts';
import { locateFrom } from './paths.ts';
import { CommandFailure, type Verb } from './verb.ts';

/** `keygen --out BASE` (spec row F10). */
export const keygen: Verb = {
  path: ['keygen'],
  about: 'Generate an Ed25519 key pair',
  options: [{ name: 'out', value: 'OUT', isRequired: true, about: 'Base name of BASE.secret and BASE.public' }],
  positionals: [],
  run(args, io) {
    const out = args.text('out');
    generateKeys(locateFrom(io.cwd, out), { compat: true });
    io.stdout(`Generated keypair:\n  Secret: ${out}.secret\n  Public: ${out}.public\n`);
  },
};

/** `sign --key SECRET FILE` (spec row F13). */
export const sign: Verb = {
  path: ['sign'],
  about: 'Sign a file',
  options: [{ name: 'key', value: 'KEY', isRequired: true, about: 'Secret key file' }],
  positionals: [{ name: 'DYLIB', isRequired: true, about: 'File to sign' }],
  run(args, io) {
    const file = args.text('DYLIB');
    signFile(locateFrom(io.cwd, file), readSecretKey(locateFrom(io.cwd, args.text('key'))));
    io.stdout(`Signed: ${file} -> ${signatureFileFor(file)}\n`);
  },
};

/** `verify --key PUBLIC FILE` (spec row F13). */
export const verify: Verb = {
  path: ['verify'],
  about: 'Verify the signature of a file',
  options: [{ name: 'key', value: 'KEY', isRequired: true, about: 'Public key file' }],
  positionals: [{ name: 'DYLIB', isRequired: true, about: 'File to verify' }],
  run(args, io) {
    const file = args.text('DYLIB');
    const key = readPublicKey(locateFrom(io.cwd, args.text('key')));
    if (!verifyNamed(file, () => verifyFile(locateFrom(io.cwd, file), [key])))
      throw new CommandFailure(`Signature INVALID: ${file}`);
    io.stdout(`Signature valid: ${file}\n`);
  },
};

function verifyNamed(file: string, check: () => boolean): boolean {
  try {
    return check();
  } catch (cause) {
    if (!(cause instanceof TrustError) || cause.code !== 'SIGNATURE_MISSING') throw cause;
    throw new CommandFailure(`signature file not found: ${signatureFileFor(file)}`, { cause });
  }
}
