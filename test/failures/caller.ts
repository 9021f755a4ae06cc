/** One caller: it makes a call on some node, and notes what the answer says of each register. @module */
import type { Seeded } from '../durability/seeded.ts'
import type { Answer, Deployment, Login, Output, Who } from './calls.ts'
import type { Entry } from './history.ts'
import type { Memory, Subject } from './memory.ts'

/** An answer with the time of the call. */
export interface Timed {
  readonly answer: Answer
  readonly begin: number
  readonly end: number
  readonly node: number
}

/** The state of a key that a refusal shows. */
const stateOf: Readonly<Record<string, string>> = {
  DisabledException: 'Disabled',
  KMSInvalidStateException: 'PendingDeletion',
}

export class Caller {
  readonly deployment: Deployment
  readonly memory: Memory
  readonly random: Seeded

  constructor(deployment: Deployment, memory: Memory, random: Seeded) {
    this.deployment = deployment
    this.memory = memory
    this.random = random
  }

  /** Calls a node: any one unless it is named. */
  async call(
    operation: string,
    input: object,
    options: { who?: Who | Login; node?: number; region?: string } = {},
  ): Promise<Timed> {
    const { who = 'root', node = this.#someNode(), region } = options
    const begin = performance.now()
    const answer = await this.deployment.call(node, who, operation, input, region)
    const end = performance.now()
    this.memory.tell(operation.replace(/^(?:iam|sts):/, ''), answer)
    return { answer, begin, end, node }
  }

  /** One that runs, if there is one. */
  #someNode(): number {
    const { nodes, isUp } = this.deployment
    const all = Array.from({ length: nodes }, (_, node) => node)
    const up = all.filter((node) => isUp.call(this.deployment, node))
    return this.random.oneOf(up) ?? this.random.below(nodes)
  }

  /** Notes a change, unless it was not run. */
  change(register: string, does: string, value: string | undefined, timed: Timed): void {
    const { kind } = timed.answer
    if (kind === 'unavailable') return
    const outcome = kind === 'ok' ? 'ok' : kind === 'refused' ? 'refused' : 'unknown'
    this.#note({ register, does, outcome, ...(value !== undefined && { value }) }, timed)
    if (outcome === 'unknown') this.#subjectOf(register, (subject) => (subject.unknown += 1))
  }

  /** Notes what the register was seen to be. */
  saw(register: string, value: string, timed: Timed): void {
    this.#note({ register, does: 'read', value, outcome: 'ok' }, timed)
  }

  /**
   * Notes the state that a use of a key shows: it is enabled if the use succeeds.
   * @returns the output, if it succeeds
   */
  use({ keyId }: Pick<Subject, 'keyId'>, timed: Timed): Output | undefined {
    const { answer } = timed
    if (answer.kind === 'ok') {
      this.saw(`key ${keyId} state`, 'Enabled', timed)
      return answer.output
    }
    this.sawState(keyId, timed)
    return undefined
  }

  /** Notes the state that a refusal names. */
  sawState(keyId: string, timed: Timed): void {
    const { answer } = timed
    const state = answer.kind === 'refused' ? stateOf[answer.error] : undefined
    if (state !== undefined) this.saw(`key ${keyId} state`, state, timed)
  }

  #note(what: Pick<Entry, 'register' | 'does' | 'outcome' | 'value'>, timed: Timed): void {
    const { answer, begin, end, node } = timed
    const requestId = 'requestId' in answer ? { requestId: answer.requestId } : {}
    this.memory.note({ ...what, begin, end, node: String(node), ...requestId })
    this.#subjectOf(what.register, (subject) => (subject.entries += 1))
  }

  #subjectOf(register: string, then: (subject: Subject) => void): void {
    const [, keyId] = register.split(' ')
    const subject = this.memory.live.find((each) => each.keyId === keyId)
    if (subject !== undefined) then(subject)
  }
}
