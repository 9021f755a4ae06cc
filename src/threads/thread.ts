/**
 * Threads that answer questions: how one is started, asked and ended. `serveThread` is the other
 * side, in the thread's program.
 * @module
 */
import { basename } from 'node:path'
import { getAsset, isSea } from 'node:sea'
import {
  isMainThread,
  MessagePort,
  parentPort,
  type Transferable,
  Worker,
  workerData,
} from 'node:worker_threads'
import {
  type Answers,
  type AskOptions,
  createLink,
  type Failures,
  type Link,
  type NoQuestions,
  type Questions,
} from './link.ts'

/** The thread ended before it answered. Its `cause` is the thread's own error, if there was one. */
export class ThreadEnded extends Error {}

/** A thread. It starts with its first question, and keeps the process alive while it is asked. */
export interface Thread<Asked extends Questions> {
  /** @throws {ThreadEnded} if the thread ends first, or has ended. @see Link.ask */
  ask<Name extends keyof Asked & string>(
    name: Name,
    given: Asked[Name][0],
    options?: AskOptions,
  ): Promise<Asked[Name][1]>
  /** Ends the thread at once. */
  end(): Promise<void>
}

export interface ThreadOptions<Answered extends Questions> {
  readonly program: URL
  /** Names the thread in errors and in the system's list of threads. */
  readonly name: string
  /** What the program's `serveThread` receives. It is cloned. */
  readonly data?: unknown
  /** Ports and buffers in `data` that are moved instead of cloned. */
  readonly transfer?: readonly Transferable[]
  readonly answers?: Answers<Answered>
  readonly failures?: Failures
  /** Without the process's environment and the command's arguments. */
  readonly isolated?: boolean
  /** Limits the thread's heap of young objects. Set it where objects are short-lived. */
  readonly youngHeapMegabytes?: number
  /** Called once if the thread ends by itself. */
  readonly onEnd?: (error: ThreadEnded) => void
}

export function createThread<Asked extends Questions, Answered extends Questions = NoQuestions>(
  options: ThreadOptions<Answered>,
): Thread<Asked> {
  const { name, transfer = [], answers, failures, onEnd } = options
  let worker: Worker | undefined
  let link: Link<Asked> | undefined
  let ended: ThreadEnded | undefined
  let open = 0
  const start = (): Link<Asked> => {
    const started = startWorker(options)
    worker = started
    // Without answers, the other side asks nothing.
    const own = answers ?? ({} as Answers<Answered>)
    const created = createLink<Asked, Answered>(started, () => own, failures)
    let cause: unknown
    started.once('error', (error) => {
      cause = error
    })
    started.once('exit', () => {
      const byItself = ended === undefined
      ended ??= new ThreadEnded(`${name} ended`, { cause })
      created.end(ended)
      if (byItself) onEnd?.(ended)
    })
    return created
  }
  return {
    async ask(question, given, askOptions) {
      if (ended !== undefined) throw ended
      link ??= start()
      open += 1
      if (open === 1) worker?.ref()
      try {
        return await link.ask(question, given, askOptions)
      } finally {
        open -= 1
        if (open === 0) worker?.unref()
      }
    },
    async end() {
      ended ??= new ThreadEnded(`${name} is closed`)
      link?.end(ended)
      await worker?.terminate()
      if (worker !== undefined) return
      for (const port of transfer) if (port instanceof MessagePort) port.close()
    },
  }
}

function startWorker(options: Omit<ThreadOptions<never>, 'answers'>): Worker {
  const { program, name, data, transfer = [], isolated, youngHeapMegabytes } = options
  const nothing = isolated === true ? { env: {}, argv: [] } : {}
  return new Worker(isSea() ? embedded(program) : program, {
    eval: isSea(),
    name: `trent ${name}`,
    workerData: data,
    transferList: [...transfer],
    ...(youngHeapMegabytes !== undefined && {
      resourceLimits: { maxYoungGenerationSizeMb: youngHeapMegabytes },
    }),
    ...nothing,
  })
}

/** The program's text in the executable, which reads no code from a disk. */
function embedded(program: URL): string {
  return getAsset(basename(program.pathname), 'utf8')
}

/**
 * Answers the questions of the thread that started this one.
 * @param open called once with the `data` of `createThread`, and a link to the starting thread
 */
export function serveThread<
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the program knows its data
  Data,
  Answered extends Questions,
  Asked extends Questions = NoQuestions,
>(open: (data: Data, link: Link<Asked>) => Answers<Answered>, failures?: Failures): void {
  if (isMainThread || parentPort === null) throw new Error('this program is a thread')
  // Each thread has its own setting, and its own part in a diagnostic report (see main.ts).
  if (process.report) process.report.excludeEnv = true
  // The starting thread passes this type.
  const data = workerData as Data
  createLink<Asked, Answered>(parentPort, (link) => open(data, link), failures)
}
