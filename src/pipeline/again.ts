/** Calls that are decided again, because their rows or facts have changed. @module */
import { KmsError } from '../errors.ts'
import type { Awaitable } from '../model/awaitable.ts'
import { partyOf } from '../model/party.ts'
import { StaleRow } from '../store/store.ts'
import type { PipelineDependencies } from './dependencies.ts'
import { Again, StepFailed } from './stage-list.ts'
import type { Answered, Attempts, Failed, Read } from './stages.ts'
import { turnOf } from './turns.ts'

/** How often a call is decided because its facts keep changing, and how many turns it gets then. */
export const attemptsMax = 8

/** A call that is decided again waits for its turn, if it has one. Then its caller is identified again. */
export function identifyAgain(read: Read): Awaitable<Read> {
  return read.attempts.number === 1 ? read : readAgain(read)
}

async function readAgain(read: Read): Promise<Read> {
  await read.attempts.turn?.begin()
  return { ...read, ...(await read.identifyAgain()) }
}

/**
 * Sends a call back that lost a race: the rows or facts that it was decided on have changed. It is decided
 * again in turn. Otherwise each round of many calls for one key would have one winner, and the last
 * calls would run out of attempts.
 * @throws {Failed} any other failure
 */
export function decideAgainInTurn(
  settled: Answered | Failed,
  { inTurn }: Pick<PipelineDependencies, 'inTurn'>,
): Answered | Again<Read> {
  if (!(settled instanceof StepFailed)) {
    settled.attempts.turn?.end()
    return settled
  }
  const { cause, reached } = settled
  const { attempts, read, effects } = reached
  const lost = cause instanceof StaleRow || cause instanceof Unsettled
  const mayGoOn = lost && effects?.committed === undefined
  if (mayGoOn && read !== undefined && attempts !== undefined && attempts.turns < attemptsMax - 1) {
    const { turn = turnOf(partyOf(read.caller), inTurn), turns } = attempts
    const next: Attempts = { ...attempts, number: 2, turns: turns + 1, turn, charged: true }
    return new Again({ ...read, attempts: next })
  }
  attempts?.turn?.end()
  throw settled
}

/**
 * The facts of a call kept changing. The pipeline decides such a call again in turn; a caller that gets this
 * error can try again, because nobody can change its facts for ever.
 */
export class Unsettled extends KmsError {
  constructor() {
    super(
      'ThrottlingException',
      'What the request depends on keeps changing. Reduce the frequency of your calls.',
    )
  }
}
