/**
 * The pipe between the server and the child process that holds a token. The server reads it strictly: what
 * the vendor's library writes there by accident or design can end the child process, and nothing else.
 *
 *     message   u32 length of the rest ‖ u32 id ‖ u8 form ‖ content
 * @module
 */
import type { Socket } from 'node:net'

/** What the content is. */
export type Form = 'call' | 'bytes' | 'json' | 'error'

export interface Message {
  readonly id: number
  readonly form: Form
  readonly content: Buffer
}

/** The descriptor of the pipe in the child process. */
export const pipeDescriptor = 3

/** Bytes of the content. Calls and answers have some thousands. */
const contentBytesMax = 64 * 1024
const lengthBytes = 4
const headBytes = 5
const forms: readonly Form[] = ['call', 'bytes', 'json', 'error']

/** Writes a message, and overwrites the content once it is sent: it may be a PIN or a plaintext. */
export function writeMessage(pipe: Socket, { id, form, content }: Message): void {
  const message = Buffer.alloc(lengthBytes + headBytes + content.length)
  message.writeUInt32BE(headBytes + content.length)
  message.writeUInt32BE(id, lengthBytes)
  message.writeUInt8(forms.indexOf(form), lengthBytes + 4)
  content.copy(message, lengthBytes + headBytes)
  content.fill(0)
  pipe.write(message, () => message.fill(0))
}

/** Calls `onMessage` for each message, and `onNonsense` once for anything else. Nothing is read after it. */
export function readMessages(
  pipe: Socket,
  onMessage: (message: Message) => void,
  onNonsense: () => void,
): void {
  let pending: Buffer = Buffer.alloc(0)
  const take = (piece: Buffer): void => {
    pending = pending.length === 0 ? piece : Buffer.concat([pending, piece])
    while (pending.length >= lengthBytes) {
      const length = pending.readUInt32BE() - headBytes
      if (length < 0 || length > contentBytesMax) return refuse()
      const end = lengthBytes + headBytes + length
      if (pending.length < end) return
      const form = forms[pending.readUInt8(lengthBytes + 4)]
      if (form === undefined) return refuse()
      const content = Buffer.from(pending.subarray(lengthBytes + headBytes, end))
      const id = pending.readUInt32BE(lengthBytes)
      pending.fill(0, 0, end)
      pending = pending.subarray(end)
      onMessage({ id, form, content })
    }
  }
  const refuse = (): void => {
    pipe.off('data', take)
    pipe.destroy()
    onNonsense()
  }
  pipe.on('data', take)
}
