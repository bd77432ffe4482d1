import { randomBytes } from 'node:crypto';
import type { SecretBox } from './secret-box.js';

/** QEMU takes eight characters of a VNC password: six bytes in base64. */
const VNC_PASSWORD_BYTES = 6;

/** @returns a new one, encrypted; the VM keeps it: whoever looks at its display need not ask again */
export const newVncPassword = (secretBox: SecretBox): string =>
  secretBox.encrypt(randomBytes(VNC_PASSWORD_BYTES).toString('base64url'));
