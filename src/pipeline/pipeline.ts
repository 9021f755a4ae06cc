/**
 * The path of a request: the list of its stages, from top to bottom. Each stage takes the value that the one
 * before it returns. AWS's own order of errors is their order: `docs/adr/0002-order-of-checks.md`. A runner
 * moves the requests of a turn through the list: `docs/adr/0033-turns-of-requests.md`.
 * @module
 */
import { partyOf } from '../model/party.ts'
import type { Target } from '../wire/aws-json.ts'
import type { RawRequest, RawResponse } from '../wire/request.ts'
import { answer } from './answer.ts'
import { authenticate, find, readInput } from './arrive.ts'
import { decideAgainInTurn, identifyAgain } from './again.ts'
import { authorize, charge, requireOneMoment, resolve } from './decide.ts'
import type { PipelineDependencies } from './dependencies.ts'
import { record } from './record.ts'
import { confirm, makeMissingKey, permit, run } from './run.ts'
import { createRunner, type RunnerOptions } from './runner.ts'
import { StageList } from './stage-list.ts'
import type { Arrived, Read } from './stages.ts'

/** Answers one request; never rejects. `target` is given by routes that are not AWS's API. */
export type Handle = (request: RawRequest, target?: Target) => Promise<RawResponse>

export function createPipeline(dependencies: PipelineDependencies): Handle {
  const deciding = new StageList<Read, Read>()
    .waitForRoom()
    .stage((read) => identifyAgain(read)) //                            3 authenticate
    .stage((read) => resolve(read, dependencies)) //                    4 resolve
    .stage((resolved) => charge(resolved, dependencies)) //             5 throttle
    .stage((charged) => authorize(charged, dependencies)) //            6 authorize
    .settle((settled) => requireOneMoment(settled, dependencies))
  const decideAgain = createRunner(deciding, bounds)

  const stages = new StageList<Arrived, Arrived>()
    .stage((arrived) => find(arrived, dependencies)) //                 1 wire, 2 operations
    .stage((found) => authenticate(found, dependencies)) //             3 authenticate
    .stage((identified) => readInput(identified, dependencies)) //      1 wire
    .join(deciding) //                                                 4 to 6
    .stage((decided) => makeMissingKey(decided, dependencies))
    .stage((decided) => permit(decided, dependencies))
    .stage((permitted) => run(permitted, dependencies, decideAgain)) // 7 operations, keystores
    .stage((ran) => confirm(ran, dependencies))
    .settle((settled) => decideAgainInTurn(settled, dependencies))
    .settle((settled) => record(settled, dependencies)) //             8 audit
    .settle((settled) => answer(settled, dependencies)) //             9 wire
  const runStages = createRunner(stages, bounds)

  return (request, route) => {
    const requestId = dependencies.random.uuid()
    const arrived = { request, requestId, startedAt: performance.now(), route }
    return runStages(arrived, request.connection)
  }
}

/** Turns take about as long as one slow request: `policy/work.ts` bounds the slowest decision. */
const bounds: RunnerOptions<Read> = {
  partyOf: ({ caller }) => partyOf(caller),
  requestsMax: 64,
  msMax: 2,
  turnMsMax: 20,
  now: () => performance.now(),
}
