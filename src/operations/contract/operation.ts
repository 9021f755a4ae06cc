/**
 * The type of an operation: data and one function. The pipeline reads the data. `run` gets the input, the
 * caller, the keys and its dependencies, and never HTTP, audit or a database driver.
 * @module
 */
import type { ErrorCode } from '../../errors.ts'
import type { Awaitable } from '../../model/awaitable.ts'
import type { Caller } from '../../model/caller.ts'
import type { GrantRecord } from '../../model/grant.ts'
import type { RequestedGrant } from '../../policy/decision.ts'
import type { KeyRecord, KeyState, KeyUsage } from '../../model/key.ts'
import type { TrackedOperation } from '../../model/last-usage.ts'
import type { Input, Members } from '../../model/shape.ts'
import type { Transaction } from '../../store/store.ts'
import type { ContextEntries, Call } from './call.ts'
import type { OperationDependencies } from './dependencies.ts'

/** How the input names a key, and what the operation requires of the key. */
export interface KeyUse {
  /** The input member that names the key. It is not read if `AliasUse.target` names this use. */
  readonly from: string
  /** Accepted identifiers: key ids and ARNs only, or aliases as well. */
  readonly forms: 'key' | 'any'
  /**
   * The member that names another Region: this use is the key with the same id there. If there is none,
   * `Call.keys` has no entry for it.
   */
  readonly region?: string
  /** The ciphertext member that names the key if `from` is absent. If it is present, both must match. */
  readonly ciphertext?: string
  /** The grant token member that names the key if `from` is absent. */
  readonly token?: string
  /** The member with the encryption context of this use, for constraints of grants. */
  readonly encryptionContext?: string
  /** The permission, for example `kms:Encrypt`. */
  readonly action: string
  /**
   * AWS's name for this use in error messages if it is not the operation's name, for example
   * `ReEncryptFrom`.
   */
  readonly usedFor?: string
  /** Whether a caller of another account can be allowed to use the key. */
  readonly crossAccount: boolean
  readonly usage?: KeyUsage
  /** Replicas are refused, whatever their state. */
  readonly noReplica?: true
  readonly states: readonly KeyState[]
}

/**
 * How the input names an alias. The alias ARN is authorized, and with `target` the key behind it as well.
 */
export interface AliasUse {
  readonly from: string
  readonly action: string
  /**
   * The alias must exist. The entry of `keys` for the key that it points to, which is authorized as well.
   */
  readonly target?: string
}

/** How the input of an IAM operation names a user, group or role. Its ARN is authorized. */
export interface IdentityUse {
  readonly from: string
  readonly action: string
  /** `caller`: the name defaults to the caller. `made`: the operation creates the identity. */
  readonly absent?: 'caller' | 'made'
  /** The members with a new name and path. The resulting ARN is authorized as well. */
  readonly becomes?: { readonly name: string; readonly path: string }
}

/** How the input names a role, of any account, that the caller assumes. The role's trust policy decides. */
export interface AssumedRoleUse {
  /** The member with the role's ARN. */
  readonly from: string
  /** Actions that the trust policy and the caller's account must allow, in this order. */
  readonly actions: (input: never, caller: Caller) => readonly string[]
}

/** How the input names a grant that itself decides who may call. */
export interface GrantUse {
  /** The member with the grant id. */
  readonly from: string
  /** The member with a grant token, instead of key and id. */
  readonly token: string
  /** The entry of `keys` for the grant's key. */
  readonly key: string
}

/** A permission that is not on a key. By default its resource is `*`. */
export interface Permission {
  readonly action: string
  /** Another Region than the call's. Such a permission is checked after those on keys. */
  readonly region?: string
  /** The resource if it is not `*`. */
  readonly arn?: string
  /** The name of the resource in error messages if it is not its ARN. */
  readonly shown?: string
  /** The resource in the caller's account: the text after `arn:<partition>:iam::<account>:`. */
  readonly iamResource?: string
  /** The same after `arn:<partition>:sts::<account>:`. */
  readonly stsResource?: string
  /** The same after `arn:<partition>:cloudtrail:<region>:<account>:`. */
  readonly trailResource?: string
  /** The same after `arn:<partition>:kms:<region>:<account>:`, with `region` above if present. */
  readonly kmsResource?: string
  /** AWS's message for this permission has no `on resource: …`. */
  readonly unnamedResource?: true
}

export interface Operation<
  M extends Members = Members,
  Output = unknown,
  K extends string = string,
> {
  readonly service:
    | 'kms'
    | 'iam'
    | 'sts'
    | 'cloudtrail'
    | 'monitoring'
    | 'tagging'
    | 'kms-xks-proxy'
    | 'trent'
  /** AWS's name. The file has it in kebab-case, the export in camelCase. */
  readonly name: string
  /**
   * How a call is authenticated: signed with an access key; by an identity token; signed by a service, on a
   * path of Trent's own; signed with a credential of an XKS proxy, at its listener; by the operators' socket;
   * or not at all in the test API.
   */
  readonly door: 'signed' | 'token' | 'service' | 'xks-proxy' | 'operator' | 'test'
  /** For calls with an identity token: the members with the role and the token. */
  readonly token?: { readonly role: string; readonly from: string }
  readonly input: M
  readonly keys: Readonly<Record<K, KeyUse>>
  readonly alias?: AliasUse
  readonly user?: IdentityUse
  readonly role?: IdentityUse
  readonly group?: IdentityUse
  readonly assumes?: AssumedRoleUse
  readonly grant?: GrantUse
  /** The grant that the call creates: a grant cannot allow creating a wider one. */
  requestedGrant?(input: Input<M>): RequestedGrant
  /** Members with principals. They may be unique ids of roles; conditions see the ARNs. */
  readonly principalMembers?: readonly (keyof M & string)[]
  /** Permissions that are not on a key. */
  permissions?(input: Input<M>): readonly Permission[]
  /**
   * Condition keys of this operation, in addition to those of every call. `use` is the entry of `keys`
   * that is being authorized; undefined for an alias and for a permission that is not on a key. `found`
   * holds the existing keys, `grant` the grant that the input names.
   */
  context?(
    input: Input<M>,
    use: K | undefined,
    found: Readonly<Partial<Record<K, KeyRecord>>>,
    grant?: GrantRecord,
  ): ContextEntries
  /**
   * The output member that the pipeline encrypts for an attested `Recipient` and then removes. The
   * operation returns the plaintext in either case.
   */
  readonly recipient?: string
  /**
   * AWS's name for this use in GetKeyLastUsage. A successful call counts as a cryptographic use of each
   * key.
   */
  readonly tracksUsage?: TrackedOperation
  /** The operation has the condition key `kms:TrailingDaysWithoutKeyUsage`. */
  readonly asksIdleDays?: true
  /** `readOnly` of the audit record. */
  readonly readOnly: boolean
  /** Input members that the audit record keeps. Never list a secret here. */
  readonly audit: readonly (keyof M & string)[]
  /** `requestParameters` that AWS records even if the caller omits them. */
  auditDefaults?(input: Input<M>): Readonly<Record<string, unknown>>
  /** `responseElements` of the audit record; null when left out. */
  auditResponse?(
    output: Output,
    arns: Readonly<Record<K, string>>,
  ): Readonly<Record<string, unknown>>
  /** Errors that the operation raises, in order of precedence. */
  readonly throws: readonly ErrorCode[]
  /** Checks of the input that involve several members and need no key. @throws {KmsError} */
  check?(input: Input<M>): void
  run(call: Call<Input<M>, K>, dependencies: OperationDependencies): Awaitable<Output>
  /** Changes that the service makes on its own, after those of `run` and in the same transaction. */
  alsoChanges?(
    call: Call<Input<M>, K>,
    transaction: Transaction,
    dependencies: OperationDependencies,
  ): Promise<void>
}

/** `unknown` if our members match the SDK's; otherwise a type that no definition satisfies. */
export type Drift<Request, M extends Members> = [Input<M>] extends [Request]
  ? [keyof Request] extends [keyof M]
    ? unknown
    : { readonly input: { readonly missing: Exclude<keyof Request, keyof M> } }
  : { readonly input: { readonly differs: Request } }

/** Forces an operation with a `Recipient` member to declare `recipient`. */
type Sealing<Request, Response> = 'Recipient' extends keyof Request
  ? { readonly recipient: keyof Response & string }
  : unknown

/**
 * Declares an AWS KMS operation. Compilation fails if the definition differs from the official SDK's
 * request or response.
 */
export function operation<Request, Response>() {
  return <const M extends Members, K extends string>(
    definition: Omit<Operation<M, Response, K>, 'service' | 'door'> &
      Drift<Request, M> &
      Sealing<Request, Response>,
  ): Operation<M, Response, K> => ({ service: 'kms', door: 'signed', ...definition })
}
