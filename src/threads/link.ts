/**
 * RPC between two threads over one message port, in both directions. Each question gets one answer,
 * unless the other thread ends; that ends the whole process.
 * @module
 */
import { type ErrorCode, KmsError } from '../errors.ts'

/** Parameter and result of each question, by name. Both are cloned on their way. */
export type Questions = Readonly<Record<string, readonly [given: unknown, answer: unknown]>>

/** @param signal aborted when the asking thread no longer waits */
export type Answers<Q extends Questions> = {
  readonly [Name in keyof Q]: (given: Q[Name][0], signal: AbortSignal) => Promise<Q[Name][1]>
}

export interface Link<Q extends Questions> {
  /** @throws what the other side threw: a `KmsError` as such, any other error by its message */
  ask<Name extends keyof Q & string>(
    name: Name,
    given: Q[Name][0],
    signal?: AbortSignal,
  ): Promise<Q[Name][1]>
  /** The other side is gone: rejects all open questions, and all later ones, with this error. */
  end(error: Error): void
}

/** A `Worker` in the thread that started it; `parentPort` inside. */
export interface Port {
  postMessage(message: unknown): void
  on(event: 'message', listener: (message: Message) => void): unknown
}

type Message =
  | {
      readonly kind: 'question'
      readonly id: number
      readonly name: string
      readonly given: unknown
    }
  | { readonly kind: 'forgotten'; readonly id: number }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | {
      readonly kind: 'failure'
      readonly id: number
      readonly message: string
      readonly code?: ErrorCode
    }

interface Waiting {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: unknown) => void
}

export function createLink<Asked extends Questions, Answered extends Questions>(
  port: Port,
  answers: Answers<Answered>,
): Link<Asked> {
  const waiting = new Map<number, Waiting>()
  const underWay = new Map<number, AbortController>()
  let asked = 0
  let ended: Error | undefined
  const send = (message: Message): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
    port.postMessage(message)
  }
  const answer = async (id: number, name: string, given: unknown): Promise<void> => {
    const controller = new AbortController()
    underWay.set(id, controller)
    try {
      const answered = await answers[name]?.(given, controller.signal)
      send({ kind: 'answer', id, answer: answered })
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      send({ kind: 'failure', id, message, ...(error instanceof KmsError && { code: error.code }) })
    } finally {
      underWay.delete(id)
    }
  }
  port.on('message', (message) => {
    const { id } = message
    if (message.kind === 'question') void answer(id, message.name, message.given)
    else if (message.kind === 'forgotten') underWay.get(id)?.abort()
    else {
      const asker = waiting.get(id)
      waiting.delete(id)
      if (message.kind === 'answer') asker?.resolve(message.answer)
      else asker?.reject(errorOf(message))
    }
  })
  return {
    ask: (name, given, signal) =>
      new Promise<never>((resolve, reject) => {
        signal?.throwIfAborted()
        if (ended !== undefined) throw ended
        asked += 1
        const id = asked
        const forget = (): void => {
          waiting.delete(id)
          send({ kind: 'forgotten', id })
          reject(signal?.reason)
        }
        signal?.addEventListener('abort', forget, { once: true })
        const heard =
          <T>(then: (value: T) => void) =>
          (value: T): void => {
            signal?.removeEventListener('abort', forget)
            then(value)
          }
        // The types of `Answers` guarantee that the other side returns this type.
        waiting.set(id, { resolve: heard(resolve as Waiting['resolve']), reject: heard(reject) })
        send({ kind: 'question', id, name, given })
      }),
    end(error) {
      ended = error
      for (const { reject } of waiting.values()) reject(error)
      waiting.clear()
    },
  }
}

function errorOf({ message, code }: Extract<Message, { readonly kind: 'failure' }>): Error {
  return code === undefined ? new Error(message) : new KmsError(code, message)
}
