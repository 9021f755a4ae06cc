/**
 * The child process that holds a token. It gets the environment that it is given and nothing more, and is
 * killed when a call takes too long, or when it answers anything but what it was asked for.
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { serialize } from 'node:v8'
import { readAnswer, readError } from './token-answers.ts'
import type { TokenCall, TokenCalls } from './token-calls.ts'
import { TokenError } from './token-error.ts'
import { pipeDescriptor, readMessages, writeMessage, type Message } from './token-wire.ts'

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
  readonly name: TokenCall
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
  const { child, pipe } = start(environment)
  const waiting = new Map<number, Waiting>()
  let ended: TokenError | undefined
  let asked = 0
  const end = (error: TokenError): void => {
    ended ??= error
    child.kill('SIGKILL')
    pipe.destroy()
    for (const { reject, timer } of waiting.values()) {
      clearTimeout(timer)
      reject(ended)
    }
    waiting.clear()
  }
  const nonsense = (): void => end(new TokenError('NONSENSE', 'the token answers nonsense'))
  child.on('error', (cause) => {
    end(new TokenError('ENDED', 'the child process of the token did not start', { cause }))
  })
  child.on('exit', () => end(new TokenError('ENDED', 'the child process of the token ended')))
  // The exit says it.
  pipe.on('error', () => undefined)
  const answered = ({ id, form, content }: Message): void => {
    const found = waiting.get(id)
    if (found === undefined) return nonsense()
    const error = form === 'error' ? readError(content) : undefined
    const answer = error === undefined ? readAnswer(found.name, form, content) : undefined
    if (error === undefined && answer === undefined) return nonsense()
    waiting.delete(id)
    clearTimeout(found.timer)
    keepAlive(child, pipe, waiting.size > 0)
    if (answer !== undefined) found.resolve(answer.value as never) // checked for the call of this id
    else if (error !== undefined) found.reject(error)
  }
  readMessages(pipe, answered, nonsense)
  return {
    call: (name, input) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) throw ended
        asked += 1
        const seconds = callMsMax / 1000
        const slow = `the token did not answer within ${seconds} seconds`
        const timer = setTimeout(() => end(new TokenError('TIMEOUT', slow)), callMsMax)
        waiting.set(asked, { name, resolve, reject, timer })
        keepAlive(child, pipe, true)
        writeMessage(pipe, { id: asked, form: 'call', content: serialize({ name, input }) })
      }),
    hasEnded: () => ended !== undefined,
    end: (why = new TokenError('CLOSED', 'the token was closed')) => end(why),
  }
}

function start(environment: Readonly<Record<string, string>>): {
  readonly child: ChildProcess
  readonly pipe: Socket
} {
  const stdio = ['ignore', 'ignore', 'ignore', 'pipe'] as const
  const child = spawn(process.execPath, [program], {
    cwd: '/',
    env: environment,
    stdio: [...stdio],
  })
  const pipe = child.stdio[pipeDescriptor]
  if (pipe instanceof Socket) return { child, pipe }
  throw new TypeError('a pipe is a socket')
}

/** A child that nobody waits for does not keep the server from ending. */
function keepAlive(child: ChildProcess, pipe: Socket, isAwaited: boolean): void {
  if (isAwaited) {
    child.ref()
    pipe.ref()
  } else {
    child.unref()
    pipe.unref()
  }
}
