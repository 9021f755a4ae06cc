/**
 * Messages of a link, and how they are sent. Messages of one turn travel together, because a message
 * costs more to send and to receive than to read.
 * @module
 */
import type { Transferable } from 'node:worker_threads'

export type Message =
  | {
      readonly kind: 'question'
      readonly id: number
      readonly name: string
      readonly given: unknown
    }
  | { readonly kind: 'forgotten'; readonly id: number }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: Failure }

export interface Failure {
  readonly message: string
  /** Names the class of the error; its meaning belongs to the `Failures`. */
  readonly kind?: string
}

/** A `Worker` in the thread that started it; `parentPort` inside; or a `MessagePort`. */
export interface Port {
  postMessage(message: unknown, transfer?: readonly Transferable[]): void
  on(event: 'message', listener: (message: Message | readonly Message[]) => void): unknown
}

export interface Sender {
  /** Sends when the calling code yields. */
  send(message: Message): void
  /** Sends at once, because moved memory must not be used any more. */
  sendMoved(message: Message, transfer: readonly Transferable[]): void
}

const resolved = Promise.resolve()

/**
 * Sends messages in order, and those of one turn in one message.
 * @param unsent called for a message that cannot be cloned
 */
export function createSender(
  port: Port,
  unsent: (message: Message, error: unknown) => void,
): Sender {
  let batch: Message[] = []
  const sendOne = (message: Message, transfer?: readonly Transferable[]): void => {
    try {
      if (transfer === undefined) port.postMessage(message)
      else port.postMessage(message, transfer)
    } catch (error) {
      unsent(message, error)
    }
  }
  const flush = (): void => {
    const sent = batch
    const [first] = sent
    if (first === undefined) return
    batch = []
    if (sent.length === 1) return sendOne(first)
    try {
      port.postMessage(sent)
    } catch {
      // One of them cannot be cloned.
      for (const message of sent) sendOne(message)
    }
  }
  return {
    send(message) {
      if (batch.push(message) === 1) void resolved.then(flush)
    },
    sendMoved(message, transfer) {
      flush()
      sendOne(message, transfer)
    },
  }
}
