/**
 * RPC between two threads over one message port, in both directions. Every thread of Trent talks to
 * the others in this way.
 * @module
 */
import type { Transferable } from 'node:worker_threads'
import { type ErrorCode, KmsError } from '../errors.ts'
import { createSender, type Failure, type Message, type Port, type Sender } from './sender.ts'

/** Parameter and result of each question, by name. Both are cloned on their way. */
export type Questions = Readonly<Record<string, readonly [given: unknown, answer: unknown]>>

/** The questions of a side that asks none. */
export type NoQuestions = Readonly<Record<string, never>>

/** What the answering side knows of a question. */
export interface QuestionContext {
  /** Aborted when the asking thread no longer waits. */
  readonly signal: AbortSignal
}

type Answer<T> = T | Moved<T>

/** An answer that is not a promise is sent with the others of its turn. */
export type Answers<Q extends Questions> = {
  readonly [Name in keyof Q]: (
    given: Q[Name][0],
    asking: QuestionContext,
  ) => Answer<Q[Name][1]> | Promise<Answer<Q[Name][1]>>
}

export interface AskOptions {
  readonly signal?: AbortSignal | undefined
  /** Ports and buffers that are moved instead of cloned. Buffers are empty afterwards. */
  readonly transfer?: readonly Transferable[]
}

export interface Link<Q extends Questions> {
  /**
   * The question is cloned when the calling code yields. Until then, `given` must not change.
   * @throws what the other side threw: a `KmsError` as such, any other error by its message
   */
  ask<Name extends keyof Q & string>(
    name: Name,
    given: Q[Name][0],
    options?: AskOptions,
  ): Promise<Q[Name][1]>
  /** The other side is gone: rejects all open questions, and all later ones, with this error. */
  end(error: Error): void
}

/** How errors cross from one thread to the other. */
export interface Failures {
  write(error: unknown): Failure
  read(failure: Failure): Error
}

/** An answer with ports or buffers that are moved instead of cloned. */
export class Moved<T> {
  readonly value: T
  readonly transfer: readonly Transferable[]
  constructor(value: T, transfer: readonly Transferable[]) {
    this.value = value
    this.transfer = transfer
  }
}

interface Waiting {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: unknown) => void
  readonly stopListening: (() => void) | undefined
}

/** @param answersOf called once, with this side's own questions */
export function createLink<Asked extends Questions, Answered extends Questions = NoQuestions>(
  port: Port,
  answersOf: (link: Link<Asked>) => Answers<Answered>,
  failures: Failures = kmsFailures,
): Link<Asked> {
  const waiting = new Map<number, Waiting>()
  let asked = 0
  let ended: Error | undefined
  const take = (id: number): Waiting | undefined => {
    const asker = waiting.get(id)
    waiting.delete(id)
    asker?.stopListening?.()
    return asker
  }
  const sender = createSender(port, (message, error) => {
    if (message.kind === 'question') take(message.id)?.reject(error)
    else if (message.kind === 'answer') replies.fail(message.id, error)
  })
  const replies = repliesOver(sender, failures)
  const link: Link<Asked> = {
    ask: (name, given, { signal, transfer } = {}) =>
      new Promise<never>((resolve, reject) => {
        signal?.throwIfAborted()
        if (ended !== undefined) throw ended
        asked += 1
        const id = asked
        const forget = (): void => {
          take(id)?.reject(signal?.reason)
          sender.send({ kind: 'forgotten', id })
        }
        const stopListening = signal && ((): void => signal.removeEventListener('abort', forget))
        signal?.addEventListener('abort', forget, { once: true })
        // The types of `Answers` guarantee that the other side returns this type.
        waiting.set(id, { resolve: resolve as Waiting['resolve'], reject, stopListening })
        const question: Message = { kind: 'question', id, name, given }
        if (transfer === undefined) sender.send(question)
        else sender.sendMoved(question, transfer)
      }),
    end(error) {
      ended ??= error
      for (const id of waiting.keys()) take(id)?.reject(error)
    },
  }
  const answers: Answers<Questions> = answersOf(link)
  const receive = (message: Message): void => {
    const { id } = message
    if (message.kind === 'question') replies.answer(id, answers[message.name], message.given)
    else if (message.kind === 'answer') take(id)?.resolve(message.answer)
    else if (message.kind === 'failure') take(id)?.reject(failures.read(message.failure))
    else replies.forget(id)
  }
  port.on('message', (message) => {
    if ('kind' in message) receive(message)
    else for (const each of message) receive(each)
  })
  return link
}

/** Answers the questions of the other side. */
function repliesOver(
  sender: Sender,
  failures: Failures,
): {
  answer(id: number, act: Answers<Questions>[string] | undefined, given: unknown): void
  fail(id: number, error: unknown): void
  forget(id: number): void
} {
  const open = new Map<number, OpenQuestion>()
  const reply = (id: number, answer: unknown): void => {
    if (!(answer instanceof Moved)) return sender.send({ kind: 'answer', id, answer })
    return sender.sendMoved({ kind: 'answer', id, answer: answer.value }, answer.transfer)
  }
  const fail = (id: number, error: unknown): void =>
    sender.send({ kind: 'failure', id, failure: failures.write(error) })
  const finish =
    (id: number, act: (id: number, value: unknown) => void) =>
    (value: unknown): void => {
      open.delete(id)
      act(id, value)
    }
  return {
    answer(id, act, given) {
      const question = new OpenQuestion()
      try {
        const answered = act?.(given, question)
        if (!(answered instanceof Promise)) return reply(id, answered)
        open.set(id, question)
        return void answered.then(finish(id, reply), finish(id, fail))
      } catch (error) {
        return fail(id, error)
      }
    },
    fail,
    forget: (id) => open.get(id)?.forget(),
  }
}

/** A question that is being answered. It makes its signal when one is wanted, because few are. */
class OpenQuestion implements QuestionContext {
  #controller: AbortController | undefined
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }
  forget(): void {
    this.#controller ??= new AbortController()
    this.#controller.abort()
  }
}

const kmsFailures: Failures = {
  write(error) {
    const message = error instanceof Error ? error.message : String(error)
    return error instanceof KmsError ? { kind: error.code, message } : { message }
  },
  // Only `write` makes kinds.
  read: ({ kind, message }) =>
    kind === undefined ? new Error(message) : new KmsError(kind as ErrorCode, message),
}
