/**
 * Questions about access without a call: puts a caller, a permission and a key to the engine as the
 * pipeline would, with the same lookups.
 * @module
 */
import type { AuthorizationRequest } from '../policy/decision.ts'
import type { Spoken } from '../policy/explain/policy-edits.ts'
import { KmsError } from '../errors.ts'
import { parseArn } from '../model/arn.ts'
import { roleIdOf, type Caller } from '../model/caller.ts'
import type { KeyRecord } from '../model/key.ts'
import { roleArn } from '../model/role.ts'
import { callingService } from '../model/service.ts'
import type { KeyUse, Operation } from '../operations/contract/operation.ts'
import { withAliasNames } from '../authorize/alias-names.ts'
import type { GrantTokens } from '../resolve/grant-tokens.ts'
import type { RequestScope } from '../model/identifiers.ts'
import { keyQuestion } from '../authorize/permissions.ts'
import type { FindPrincipal } from '../authorize/principals.ts'
import { resolveKeys } from '../resolve/resolve.ts'
import type { Store } from '../store/store.ts'
import type { ContextEntries, Origin } from '../operations/contract/call.ts'
import type { Lookup } from '../cache/cached-records.ts'
import { accountsOf } from '../authorize/accounts.ts'
import { identityOf } from '../authorize/identity.ts'

export interface AccessQuestion {
  readonly caller: Caller
  /** `kms:Decrypt`. */
  readonly action: string
  /** Id or ARN of a key, or name or ARN of an alias. */
  readonly key: string
  readonly region: string
  readonly partition: string
  readonly encryptionContext: Readonly<Record<string, string>>
  /** Condition keys of the call. Those that follow from the caller must not be given. */
  readonly context: ContextEntries
  /** The grant that the call names, for `kms:RetireGrant`. */
  readonly grantId?: string
  /** The service that calls for the caller, such as `s3.amazonaws.com`. */
  readonly via?: string
}

export interface PosedQuestion extends Spoken {
  readonly request: AuthorizationRequest
  readonly key: KeyRecord
}

/** Dependencies of a question. */
export interface QuestionDependencies {
  /** As in `Resolving`; one by default. */
  readonly grantsMax?: number
  readonly registry: Registry
  readonly lookup: Lookup
  readonly store: Pick<Store, 'findGrant'>
  readonly grantTokens: Pick<GrantTokens, 'find'>
  readonly now: () => number
  /** Whether a call from an address would count as secure, when the question does not say. */
  readonly secureFrom: (address: string | undefined) => boolean
}

interface AskedUse {
  readonly operation: Operation
  readonly name: string
}

type Registry = ReadonlyMap<string, Operation>

const usesOf = new WeakMap<Registry, ReadonlyMap<string, AskedUse>>()

/** The first use of a key for each permission. */
function askedUses(registry: Registry): ReadonlyMap<string, AskedUse> {
  const known = usesOf.get(registry)
  if (known !== undefined) return known
  const uses = [...registry.values()]
    .filter(({ service }) => service === 'kms')
    .flatMap((operation) =>
      Object.entries(operation.keys).map(
        ([name, { action }]) => [action, { operation, name }] as const,
      ),
    )
  const first = new Map(uses.toReversed())
  usesOf.set(registry, first)
  return first
}

/** Every permission on a key that some call needs. */
export function actionsOf(registry: Registry): readonly string[] {
  return [...askedUses(registry).keys()].toSorted()
}

/**
 * Builds the engine's question.
 * @throws {KmsError} `ValidationException`, `NotFoundException` and others in AWS's words
 */
export async function poseQuestion(
  question: AccessQuestion,
  { registry, lookup, store, grantTokens, now, secureFrom, grantsMax = 1 }: QuestionDependencies,
): Promise<PosedQuestion> {
  const { action, region, partition, encryptionContext } = question
  const asked = askedUses(registry).get(action)
  const use = asked?.operation.keys[asked.name]
  if (asked === undefined || use === undefined) {
    throw new KmsError('ValidationException', `no call asks for ${action} on a key`)
  }
  const caller = forwarded(question)
  const scope: RequestScope = { accountId: caller.accountId, region, partition }
  // The question names one key by its identifier: no ciphertext, no token, no other Region.
  const { region: _region, ciphertext: _ciphertext, token: _token, ...keyUse } = use
  const { alias: _alias, keys: _keys, ...rest } = asked.operation
  const grant = rest.grant && { from: 'GrantId', token: 'GrantToken', key: asked.name }
  const operation: Operation = {
    ...rest,
    keys: { [asked.name]: { ...keyUse, forms: 'any' } },
    ...(grant && { grant }),
  }
  const input = inputOf(question, use)
  const findGrant = store.findGrant.bind(store)
  const sourceArn = saidOnce(question.context, 'aws:sourcearn') ?? caller.service?.sourceArn
  const resolving = { caller, scope, lookup, grantTokens, findGrant, sourceArn, grantsMax }
  const resolved = await resolveKeys(operation, input, resolving)
  const identity = await identityOf(caller, lookup)
  const key = (await withAliasNames(resolved.keys, identity, lookup)).get(asked.name)
  if (key?.known === undefined) {
    throw new KmsError('NotFoundException', `There is no key ${question.key}`)
  }
  const found = { [asked.name]: key.known.record }
  const entries = (): ContextEntries => ({
    ...entriesOf(() => asked.operation.context?.(input, asked.name, found, resolved.grant)),
    ...encryptionEntries(use.encryptionContext === undefined ? {} : encryptionContext),
    ...question.context,
  })
  const accounts = await accountsOf(caller.accountId, resolved, lookup)
  const origin = originOf(question.context, secureFrom)
  const asking = { operation, caller, scope, origin, now: now(), identity, accounts }
  const posed = keyQuestion(asking, key, key.known, { input, resolved, entries })
  return { ...posed, key: key.known.record }
}

/** The input of a call, as far as the question gives it. */
function inputOf(
  { key, encryptionContext, grantId, context, action }: AccessQuestion,
  use: KeyUse,
): Readonly<Record<string, unknown>> {
  return {
    [use.from]: key,
    ...(use.encryptionContext !== undefined && { [use.encryptionContext]: encryptionContext }),
    ...(grantId !== undefined && { GrantId: grantId }),
    ...(action === 'kms:CreateGrant' && { Operations: listed(context, 'kms:GrantOperations') }),
  }
}

/** Condition keys that depend on members outside the question are omitted, so policies find them missing. */
function entriesOf(make: () => ContextEntries | undefined): ContextEntries {
  try {
    return make() ?? {}
  } catch (error) {
    if (error instanceof TypeError) return {}
    throw error
  }
}

function listed(context: ContextEntries, name: string): readonly string[] {
  return [context[name] ?? []].flat()
}

function forwarded({ caller, via, region }: AccessQuestion): Caller {
  if (via === undefined) return caller
  const service = callingService({ name: via, region })
  return { ...caller, forwarded: { via: [via], service, issuedAt: 0 } }
}

function encryptionEntries(encryptionContext: Readonly<Record<string, string>>): ContextEntries {
  const names = Object.keys(encryptionContext)
  return {
    ...Object.fromEntries(
      Object.entries(encryptionContext).map(([name, value]) => [
        `kms:EncryptionContext:${name}`,
        value,
      ]),
    ),
    ...(names.length > 0 && { 'kms:EncryptionContextKeys': names }),
  }
}

function saidOnce(context: ContextEntries, wanted: string): string | undefined {
  const name = Object.keys(context).find((key) => key.toLowerCase() === wanted)
  return name === undefined ? undefined : [context[name]].flat()[0]
}

/** The origin of the call, as far as the question gives it. */
function originOf(context: ContextEntries, secureFrom: QuestionDependencies['secureFrom']): Origin {
  const said = (wanted: string): string | undefined => saidOnce(context, wanted)
  const sourceAddress = said('aws:sourceip')
  const secure = said('aws:securetransport')?.toLowerCase()
  return {
    sourceAddress: sourceAddress ?? '',
    secure: secure === undefined ? secureFrom(sourceAddress) : secure === 'true',
    userAgent: said('aws:useragent'),
    referer: said('aws:referer'),
  }
}

/**
 * The caller of an ARN: a root user, a user, a role (as any of its sessions), or one session. Policies
 * and tags that a session got when it was issued are unknown here.
 * @throws {KmsError} `NotFoundException`, `ValidationException`
 */
export async function callerNamed(
  arn: string,
  idOf: FindPrincipal,
  lookup: Pick<Lookup, 'role'>,
): Promise<Caller> {
  const { service, accountId = '', resource = '' } = parseArn(arn) ?? {}
  const uniqueId = await idOf(arn)
  const [kind = '', ...path] = resource.split('/')
  const name = path.at(-1) ?? ''
  if (uniqueId === undefined) {
    if (/^(?:root|user|role|assumed-role)$/.test(kind)) {
      throw new KmsError('NotFoundException', `There is no principal ${arn}`)
    }
    const message = `\`${arn}\` is the ARN of no root user, user, role or session of a role`
    throw new KmsError('ValidationException', message)
  }
  if (service === 'iam' && kind === 'root') return { kind: 'root', accountId, arn, uniqueId }
  if (service === 'iam' && kind === 'user') {
    return { kind: 'user', accountId, arn, uniqueId, userName: name }
  }
  const session = { kind: 'assumed-role', accountId } as const
  const sessionName = service === 'iam' ? 'any' : name
  const [role = ''] = service === 'iam' ? [name] : path
  const [, partition = ''] = arn.split(':')
  if (service === 'iam' && kind === 'role') {
    const sessionArn = `arn:${partition}:sts::${accountId}:assumed-role/${role}/${sessionName}`
    return { ...session, arn: sessionArn, uniqueId: `${uniqueId}:${sessionName}`, roleArn: arn }
  }
  if (service === 'sts' && kind === 'assumed-role') {
    const known = await lookup.role(roleIdOf({ uniqueId }))
    const behind = known && { roleArn: roleArn(partition, known.record) }
    return { ...session, arn, uniqueId, ...behind }
  }
  const message = `what ${arn} may do depends on the session, and is not known`
  throw new KmsError('ValidationException', message)
}
