/**
 * Key policies when they are written: the default policy, the checks of a caller's policy, and the
 * lockout check.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
 * @module
 */
import { compileDocument, type CompiledPolicy } from './compile.ts'
import type { AuthorizationRequest } from './decision.ts'
import type { PolicyDocument, PolicyPrincipal } from './document.ts'
import { findIn } from './findings.ts'
import { malformedPolicy } from './malformed.ts'
import { readPolicy } from './validate.ts'

/** The policy of a key that was created without one, exactly as AWS prints it. */
export function defaultKeyPolicy(partition: string, accountId: string): string {
  return `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:${partition}:iam::${accountId}:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`
}

/** Each account, user, role and session that the policy names, once. */
export function principalsOf(document: PolicyDocument): readonly PolicyPrincipal[] {
  const principals = new Map<string, PolicyPrincipal>()
  for (const { principals: clause } of document.statements) {
    for (const entry of clause?.entries ?? []) {
      if (entry.kind === 'account') principals.set(entry.accountId, entry)
      else if ('arn' in entry) principals.set(entry.arn, entry)
    }
  }
  return [...principals.values()]
}

/** A request to write a key policy. */
export interface KeyPolicyWriting extends Omit<AuthorizationRequest, 'action'> {
  readonly partition: string
  readonly bypassLockoutCheck: boolean
  /** Whether the caller has a permissions boundary. */
  readonly bounded: boolean
  /**
   * The unique id of a principal: the account id for an account's root ARN, `AIDA…` for a user, `AROA…`
   * for a role, `AROA…:session` for a session. Undefined when the principal does not exist.
   */
  readonly principalExists: (arn: string) => Promise<string | undefined>
}

/**
 * Checks a caller's policy: size, characters, structure, principals, lockout. Returns the unique ids of
 * the users, roles and sessions that it names, by ARN.
 * @throws {KmsError} `MalformedPolicyDocumentException`, `LimitExceededException`
 */
export async function checkKeyPolicy(
  text: string,
  writing: KeyPolicyWriting,
): Promise<Readonly<Record<string, string>>> {
  const result = readPolicy(text, 'key')
  if (!result.ok) throw malformedPolicy(result.fault)
  const uniqueIds = await findPrincipals(result.document, writing)
  const policy = compileDocument(result.document, 'key')
  if (!writing.bypassLockoutCheck && !allowsPutKeyPolicy(policy, writing, uniqueIds)) {
    throw malformedPolicy({ kind: 'lockout' })
  }
  return uniqueIds
}

async function findPrincipals(
  document: PolicyDocument,
  { partition, principalExists }: KeyPolicyWriting,
): Promise<Readonly<Record<string, string>>> {
  const found: (readonly [string, string])[] = []
  for (const principal of principalsOf(document)) {
    if ('partition' in principal && principal.partition !== partition) throw invalidPrincipal()
    const arn = 'arn' in principal ? principal.arn : rootArn(partition, principal)
    // One at a time: a policy may name a thousand principals, and its writer must not flood the store.
    const uniqueId = arn === undefined ? undefined : await principalExists(arn)
    if (uniqueId === undefined || arn === undefined) throw invalidPrincipal()
    if ('arn' in principal) found.push([arn, uniqueId])
  }
  return Object.fromEntries(found)
}

function rootArn(partition: string, principal: PolicyPrincipal): string | undefined {
  return principal.kind === 'account'
    ? `arn:${partition}:iam::${principal.accountId}:root`
    : undefined
}

function invalidPrincipal(): Error {
  return malformedPolicy({ kind: 'principal', at: 'Statement' })
}

/**
 * Whether the policy allows the caller to write the next one: by name, or by delegating to its account.
 * The account's identity policies are not checked.
 */
export function allowsPutKeyPolicy(
  policy: CompiledPolicy,
  {
    caller,
    resource,
    context,
    bounded,
  }: Omit<AuthorizationRequest, 'action'> & Pick<KeyPolicyWriting, 'bounded'>,
  uniqueIds: Readonly<Record<string, string>>,
): boolean {
  if (policy.broken !== undefined || caller.accountId !== resource.accountId) return false
  const request = { caller, action: 'kms:PutKeyPolicy', resource, context }
  const { deny, allow } = findIn(policy, request, { uniqueIds, bounded })
  return deny === undefined && Object.keys(allow).length > 0
}
