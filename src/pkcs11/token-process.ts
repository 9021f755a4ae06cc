/**
 * The child process that holds a token. It gets the environment that it is given and nothing more, and is
 * killed when a call takes too long: nothing else ends a library that hangs.
 * @module
 */
import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Answered, Asked, TokenCall, TokenCalls } from './token-calls.ts'
import { TokenError } from './token-error.ts'

export interface TokenProcess {
  /** @throws {TokenError} */
  readonly call: <Name extends TokenCall>(
    name: Name,
    input: TokenCalls[Name][0],
  ) => Promise<TokenCalls[Name][1]>
  readonly hasEnded: () => boolean
  /** Kills the process. Calls that wait fail with `why`, by default `CLOSED`. */
  readonly end: (why?: TokenError) => void
}

interface Waiting {
  readonly resolve: (answer: never) => void
  readonly reject: (error: TokenError) => void
  readonly timer: NodeJS.Timeout
}

const program = fileURLToPath(new URL('token-child.ts', import.meta.url))

/** Starts the process. @param of.callMsMax milliseconds */
export function startTokenProcess(of: {
  readonly environment: Readonly<Record<string, string>>
  readonly callMsMax: number
}): TokenProcess {
  const { environment, callMsMax } = of
  const child = fork(program, [], {
    cwd: '/',
    env: environment,
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const waiting = new Map<number, Waiting>()
  let ended: TokenError | undefined
  let asked = 0
  const end = (error: TokenError): void => {
    ended ??= error
    child.kill('SIGKILL')
    for (const { reject, timer } of waiting.values()) {
      clearTimeout(timer)
      reject(ended)
    }
    waiting.clear()
  }
  child.on('error', (cause) => {
    end(new TokenError('ENDED', 'the child process of the token did not start', { cause }))
  })
  child.on('exit', () => end(new TokenError('ENDED', 'the child process of the token ended')))
  child.on('message', ({ id, answer, error }: Answered) => {
    const found = waiting.get(id)
    if (found === undefined) return
    waiting.delete(id)
    clearTimeout(found.timer)
    keepAlive(child, waiting.size > 0)
    if (error === undefined) found.resolve(answer as never) // the answer of the call of this id
    else found.reject(new TokenError(error.code, error.message))
  })
  return {
    call: (name, input) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) throw ended
        asked += 1
        const seconds = callMsMax / 1000
        const slow = `the token did not answer within ${seconds} seconds`
        const timer = setTimeout(() => end(new TokenError('TIMEOUT', slow)), callMsMax)
        waiting.set(asked, { resolve, reject, timer })
        keepAlive(child, true)
        child.send({ id: asked, name, input } satisfies Asked)
      }),
    hasEnded: () => ended !== undefined,
    end: (why = new TokenError('CLOSED', 'the token was closed')) => end(why),
  }
}

/** A child that nobody waits for does not keep the server from ending. */
function keepAlive(child: ChildProcess, isAwaited: boolean): void {
  if (isAwaited) {
    child.ref()
    child.channel?.ref()
  } else {
    child.unref()
    child.channel?.unref()
  }
}
