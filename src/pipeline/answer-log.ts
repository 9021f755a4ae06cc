/** A log line for each answered request. Without a reader, the pipeline has no such log. @module */
import type { Logger } from 'pino'
import type { Reached } from './stages.ts'

/** What a refusal before the body knows is enough. */
type Logged = Pick<Reached, 'requestId'> & Partial<Reached>

export type LogAnswer = (of: Logged, outcome: string, milliseconds: number) => void

/** Members that name a key or an alias, in the order of preference. */
const namingMembers = ['KeyId', 'AliasName', 'SourceKeyId', 'TargetKeyId'] as const
/** Callers control the name, and nothing has limited it if the call is refused early. */
const nameCharactersMax = 200

export function createAnswerLog(log: Pick<Logger, 'info'>): LogAnswer {
  return (of, outcome, milliseconds) => {
    const { requestId, caller, operation, target } = of
    const request = {
      id: requestId,
      principal: caller?.arn,
      operation: operation?.name ?? target?.operation,
      key: keyOf(of),
      outcome,
      milliseconds: Math.round(milliseconds * 10) / 10,
    }
    log.info({ request }, 'answered')
  }
}

/** The key or alias as the caller names it. A ciphertext, for example, names none. */
function keyOf({ input = {}, concerned }: Logged): string | undefined {
  const named = namingMembers.map((member) => input[member])
  const text = named.find((name) => typeof name === 'string') ?? concerned?.resources[0]?.arn
  return typeof text === 'string' ? text.slice(0, nameCharactersMax) : undefined
}
