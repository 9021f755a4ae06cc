/** Answers of worker 0 to the other workers. @module */
import { symbols, type Logger } from 'pino'
import type { Faults } from '../../throttle/faults.ts'
import type { RawRequest, RawResponse } from '../../wire/request.ts'
import type { Answers } from '../../threads/link.ts'
import type { AskedOfFirst } from './questions.ts'
import type { PipelineDependencies } from '../../pipeline/dependencies.ts'

export function answersOf(of: {
  readonly dependencies: Pick<PipelineDependencies, 'inTurn'>
  readonly takeFault: Faults['take']
  readonly handler: (request: RawRequest) => Promise<RawResponse>
  readonly settle: (name: string) => Promise<number | undefined>
  readonly list: () => Promise<void>
  readonly log: Logger
}): Omit<Answers<AskedOfFirst>, 'noted' | 'fatal'> {
  const { dependencies, takeFault, handler, settle, list, log } = of
  /** Ends every turn that is running. */
  const turns = new Map<number, () => void>()
  let given = 0
  return {
    // A `Buffer` arrives as a `Uint8Array`.
    serve: (request, { signal }) =>
      handler({ ...request, body: Buffer.from(request.body), signal }),
    strike: takeFault,
    turn: (party) =>
      new Promise((resolve) => {
        const turn = (): Promise<void> =>
          new Promise((over) => {
            given += 1
            turns.set(given, over)
            resolve(given)
          })
        void dependencies.inTurn(turn, party)
      }),
    turnOver(turn) {
      turns.get(turn)?.()
      turns.delete(turn)
    },
    settle,
    list,
    log(line) {
      // A logger of the same level made each line.
      const { [symbols.streamSym]: stream } = log as unknown as LoggerOfStream
      stream.write(line)
    },
  }
}

interface LoggerOfStream {
  readonly [symbols.streamSym]: { readonly write: (line: string) => void }
}
