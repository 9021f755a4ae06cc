/**
 * Lists the principals that can use a key, with their permissions and the reasons. It puts each
 * existing principal to the engine as a caller, page by page.
 * @module
 */
import { authorize } from '../policy/authorize.ts'
import type { Reason } from '../policy/decision.ts'
import type { Access, WhoCanPage, WhoCanQuestion } from '../operations/contract/access-questions.ts'
import type { Caller } from '../model/caller.ts'
import { keyArn } from '../model/key.ts'
import { pause } from '../model/pause.ts'
import { roleArn } from '../model/role.ts'
import { userArn } from '../model/user.ts'
import type { Store } from '../store/store.ts'
import { namedPrincipals } from './named-principals.ts'
import { actionsOf, poseQuestion, type QuestionDependencies } from './access-questions.ts'

/** Principals of a page. Each is asked about up to fifty permissions. */
const principalsMax = 50
/** Principals of a page when the question is about one permission. */
const principalsOfOneMax = 500

type Reads = Pick<Store, 'listAccounts' | 'listUsers' | 'listRoles' | 'listGrants'>

export interface WhoCanDependencies extends QuestionDependencies {
  readonly store: QuestionDependencies['store'] & Reads
}

export async function whoCan(
  question: WhoCanQuestion,
  accountId: string,
  dependencies: WhoCanDependencies,
  signal: AbortSignal,
): Promise<WhoCanPage> {
  const { action, partition, after, only } = question
  const actions = action === undefined ? actionsOf(dependencies.registry) : [action]
  const limit = action === undefined ? principalsMax : principalsOfOneMax
  const owner = rootOf(accountId, partition)
  // Finds the key first, under its owner's name for it. Principals of every account then name it by ARN.
  const given = { region: question.region, partition, encryptionContext: {}, context: {} }
  const first = { ...given, caller: owner, action: actions[0] ?? '', key: question.key }
  const { key } = await poseQuestion(first, dependencies)
  const arn = keyArn(partition, key)
  const named = after === undefined && {
    named: await namedPrincipals(key, actions, dependencies.store),
  }
  const access: Access[] = []
  let asked = 0
  let last: string | undefined
  for await (const [marker, caller, principal] of principalsFrom(
    after,
    partition,
    dependencies.store,
    only,
  )) {
    if (asked === limit) {
      return { keyArn: arn, access, ...named, asked, ...(last !== undefined && { after: last }) }
    }
    const about = { ...given, key: arn }
    access.push(...(await accessOf(principal, caller, about, actions, { ...dependencies, signal })))
    asked += 1
    last = marker
  }
  return { keyArn: arn, access, ...named, asked }
}

/** A principal's permissions, grouped by the reasons that allow them. */
async function accessOf(
  principal: string,
  caller: Caller,
  given: Omit<Parameters<typeof poseQuestion>[0], 'caller' | 'action'>,
  actions: readonly string[],
  dependencies: QuestionDependencies & { readonly signal: AbortSignal },
): Promise<readonly Access[]> {
  const paths = new Map<string, { actions: string[]; by: readonly Reason[]; bounded: boolean }>()
  for (const action of actions) {
    // Retiring depends on one grant, which the call names.
    if (action === 'kms:RetireGrant') continue
    await pause(dependencies.signal)
    const posed = await poseQuestion({ ...given, caller, action }, dependencies)
    const decision = authorize(posed.request, posed.policies, posed.grants)
    if (decision.decision === 'deny') continue
    const bounded = posed.policies.boundary !== undefined
    const name = JSON.stringify(decision.reasons)
    const path = paths.get(name) ?? { actions: [], by: decision.reasons, bounded }
    path.actions.push(action)
    paths.set(name, path)
  }
  return [...paths.values()].map(({ bounded, ...path }) => ({
    principal,
    ...path,
    ...(bounded && { bounded }),
  }))
}

type Placed = readonly [marker: string, caller: Caller, principal: string]

function rootOf(accountId: string, partition: string): Caller {
  const arn = `arn:${partition}:iam::${accountId}:root`
  return { kind: 'root', accountId, arn, uniqueId: accountId }
}

const fetchedMax = 100

/** The principals after `after`, account by account: the root user, the users, the roles. */
async function* principalsFrom(
  after: string | undefined,
  partition: string,
  store: Reads,
  only?: string,
): AsyncGenerator<Placed> {
  const [accountAfter = '', kindAfter = '', nameAfter = ''] = after?.split('/') ?? []
  if (accountAfter !== '') {
    yield* membersOf(accountAfter, partition, store, { kind: kindAfter, name: nameAfter })
  }
  if (only !== undefined) {
    if (accountAfter !== '') return
    const root = rootOf(only, partition)
    yield [`${only}/root`, root, root.arn]
    yield* membersOf(only, partition, store, { kind: 'root', name: '' })
    return
  }
  const accounts = pages(
    (page) => store.listAccounts(page),
    ({ accountId }) => accountId,
    accountAfter,
  )
  for await (const { accountId } of accounts) {
    const root = rootOf(accountId, partition)
    yield [`${accountId}/root`, root, root.arn]
    yield* membersOf(accountId, partition, store, { kind: 'root', name: '' })
  }
}

async function* membersOf(
  accountId: string,
  partition: string,
  store: Reads,
  after: { readonly kind: string; readonly name: string },
): AsyncGenerator<Placed> {
  const everyPath = { pathPrefix: '/' }
  if (after.kind !== 'role') {
    const users = pages(
      (page) => store.listUsers(accountId, { ...page, ...everyPath }),
      ({ name }) => name,
      after.kind === 'user' ? after.name : '',
    )
    for await (const user of users) {
      const arn = userArn(partition, user)
      const { userId: uniqueId, name: userName } = user
      yield [
        `${accountId}/user/${userName}`,
        { kind: 'user', accountId, arn, uniqueId, userName },
        arn,
      ]
    }
  }
  const roles = pages(
    (page) => store.listRoles(accountId, { ...page, ...everyPath }),
    ({ name }) => name,
    after.kind === 'role' ? after.name : '',
  )
  for await (const role of roles) {
    const arn = roleArn(partition, role)
    const session: Caller = {
      kind: 'assumed-role',
      accountId,
      arn: `arn:${partition}:sts::${accountId}:assumed-role/${role.name}/any`,
      uniqueId: `${role.roleId}:any`,
      roleArn: arn,
    }
    yield [`${accountId}/role/${role.name}`, session, arn]
  }
}

async function* pages<T>(
  list: (page: { readonly limit: number; readonly after?: string }) => Promise<readonly T[]>,
  nameOf: (item: T) => string,
  from: string,
): AsyncGenerator<T> {
  let after = from
  for (;;) {
    const found = await list({ limit: fetchedMax, ...(after !== '' && { after }) })
    yield* found
    const last = found.at(-1)
    if (found.length < fetchedMax || last === undefined) return
    after = nameOf(last)
  }
}
