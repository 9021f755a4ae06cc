/**
 * What an operation is: data and one function. The pipeline reads the data; `run` sees its input, its
 * caller, its keys and dependencies, and never HTTP, audit or a database driver.
 * @module
 */
import type { ErrorCode } from '../../errors.ts'
import type { Caller } from '../../model/caller.ts'
import type { GrantRecord } from '../../model/grant.ts'
import type { RequestedGrant } from '../../policy/decision.ts'
import type { KeyRecord, KeyState, KeyUsage } from '../../model/key.ts'
import type { TrackedOperation } from '../../model/last-usage.ts'
import type { Input, Members } from '../../model/shape.ts'
import type { Transaction } from '../../store/store.ts'
import type { ContextEntries, Call } from './call.ts'
import type { OperationDependencies } from './dependencies.ts'

/** How an operation names a key, and what it asks of it. */
export interface KeyUse {
  /** The input member that names the key; not read where `AliasUse.target` names this use. */
  readonly from: string
  /** Which identifier forms the member takes: a key id or ARN, or aliases as well. */
  readonly forms: 'key' | 'any'
  /**
   * The member that names the Region of the key, where it is not the call's: the key of the same id there.
   * Where there is none, the operation sees none.
   */
  readonly region?: string
  /** The member whose ciphertext names the key where `from` is left out, and must match it where not. */
  readonly ciphertext?: string
  /** The member whose grant token names the key where `from` is left out. */
  readonly token?: string
  /** The member that holds the encryption context of this use: constraints of grants speak of it. */
  readonly encryptionContext?: string
  /** The permission, for example `kms:Encrypt`. */
  readonly action: string
  /** What AWS calls the use in its refusals, where that is not the operation's name: `ReEncryptFrom`. */
  readonly usedFor?: string
  /** Whether a caller of another account can be given this. */
  readonly crossAccount: boolean
  readonly usage?: KeyUsage
  /** A replica is refused for being one, whatever its state. */
  readonly noReplica?: true
  readonly states: readonly KeyState[]
}

/** How an operation names an alias: its ARN is authorized, and for `target` the key that it points to. */
export interface AliasUse {
  readonly from: string
  readonly action: string
  /** The alias must exist, and the key it points to is authorized as well: `keys.<target>`. */
  readonly target?: string
}

/** How an operation of IAM names a user, a group or a role: its ARN is authorized. */
export interface IdentityUse {
  readonly from: string
  readonly action: string
  /** `caller`: the caller is meant where the name is left out. `made`: there is none of that name yet. */
  readonly absent?: 'caller' | 'made'
  /** The members that give it another name and another path: the ARN that it gets is authorized too. */
  readonly becomes?: { readonly name: string; readonly path: string }
}

/** How an operation names a role, of any account, whose trust policy is asked. */
export interface AssumedRoleUse {
  /** The member that holds its ARN. */
  readonly from: string
  /** What the trust policy and the caller's own account must allow, in this order. */
  readonly actions: (input: never, caller: Caller) => readonly string[]
}

/** How an operation names a grant on its key, where the grant itself decides who may. */
export interface GrantUse {
  /** The member that holds the grant's id. */
  readonly from: string
  /** The member that holds a token of it, in the place of the key and the id. */
  readonly token: string
  /** The entry of `keys` that it is a grant of. */
  readonly key: string
}

/** A permission on no key: its resource is `*`. */
export interface Permission {
  readonly action: string
  /** The Region that it is for, where it is not the call's. It is asked for behind the keys. */
  readonly region?: string
  /** The resource, where it is not `*`. */
  readonly arn?: string
  /** How a refusal names the resource, where that is not its ARN. */
  readonly shown?: string
  /** The resource in the caller's account: what follows `arn:<partition>:iam::<account>:`. */
  readonly iamResource?: string
  /** The same for what follows `arn:<partition>:sts::<account>:`. */
  readonly stsResource?: string
  /** The same for what follows `arn:<partition>:cloudtrail:<region>:<account>:`. */
  readonly trailResource?: string
  /** The same for what follows `arn:<partition>:kms:<region>:<account>:`; `region` above counts. */
  readonly kmsResource?: string
  /** AWS leaves `on resource: …` out of some refusals. */
  readonly unnamedResource?: true
}

export interface Operation<
  M extends Members = Members,
  Output = unknown,
  K extends string = string,
> {
  readonly service: 'kms' | 'iam' | 'sts' | 'cloudtrail' | 'monitoring' | 'trent'
  /** The name on the wire; the file is its kebab-case, the export its camelCase. */
  readonly name: string
  /**
   * Who may come in: holders of an access key or of an identity token, services by a path of Trent's own,
   * operators on the socket, the test API.
   */
  readonly door: 'signed' | 'token' | 'service' | 'operator' | 'test'
  /** Of an operation that is not signed: the members that name the role and hold the token. */
  readonly token?: { readonly role: string; readonly from: string }
  readonly input: M
  readonly keys: Readonly<Record<K, KeyUse>>
  readonly alias?: AliasUse
  readonly user?: IdentityUse
  readonly role?: IdentityUse
  readonly group?: IdentityUse
  readonly assumes?: AssumedRoleUse
  readonly grant?: GrantUse
  /** The grant that the call would make: a grant allows none that is wider than itself. */
  requestedGrant?(input: Input<M>): RequestedGrant
  /** Members that name principals, which may be unique ids of roles: conditions see their ARNs. */
  readonly principalMembers?: readonly (keyof M & string)[]
  /** Permissions that are about no key. */
  permissions?(input: Input<M>): readonly Permission[]
  /**
   * Condition keys of this operation, beside those that every call has. `use` names the entry of
   * `keys` whose permission is being decided: undefined for an alias and for a permission on no key.
   * `found` holds the keys that exist, `grant` the grant that the operation names.
   */
  context?(
    input: Input<M>,
    use: K | undefined,
    found: Readonly<Partial<Record<K, KeyRecord>>>,
    grant?: GrantRecord,
  ): ContextEntries
  /**
   * The member of its answer that is sealed for an attested `Recipient` of the call, and then left out.
   * The pipeline does it: an operation answers its plaintext in either case.
   */
  readonly recipient?: string
  /** Its success counts as a cryptographic use of each of its keys: its own name, as AWS tracks it. */
  readonly tracksUsage?: TrackedOperation
  /** Policies may ask for how many days its key was not used: `kms:TrailingDaysWithoutKeyUsage`. */
  readonly asksIdleDays?: true
  /** `readOnly` of the audit record. */
  readonly readOnly: boolean
  /** Input members that the audit record keeps; no secret may be among them. */
  readonly audit: readonly (keyof M & string)[]
  /** `requestParameters` that AWS records though the caller left them out. */
  auditDefaults?(input: Input<M>): Readonly<Record<string, unknown>>
  /** `responseElements` of the audit record; null when left out. */
  auditResponse?(
    output: Output,
    arns: Readonly<Record<K, string>>,
  ): Readonly<Record<string, unknown>>
  /** Errors that it may raise, in order of precedence. */
  readonly throws: readonly ErrorCode[]
  /** Checks across members that need no key. @throws {KmsError} */
  check?(input: Input<M>): void
  run(call: Call<Input<M>, K>, dependencies: OperationDependencies): Promise<Output>
  /** What the service changes of itself behind what `run` commits, in the same transaction. */
  alsoChanges?(
    call: Call<Input<M>, K>,
    transaction: Transaction,
    dependencies: OperationDependencies,
  ): Promise<void>
}

/** `unknown` when our members are the SDK's; otherwise something that no definition satisfies. */
export type Drift<Request, M extends Members> = [Input<M>] extends [Request]
  ? [keyof Request] extends [keyof M]
    ? unknown
    : { readonly input: { readonly missing: Exclude<keyof Request, keyof M> } }
  : { readonly input: { readonly differs: Request } }

/** Whatever takes a `Recipient` says what is sealed for it; an operation that does not, does not compile. */
type Sealing<Request, Response> = 'Recipient' extends keyof Request
  ? { readonly recipient: keyof Response & string }
  : unknown

/**
 * Declares an AWS KMS operation, checked at compile time against the official SDK's request and
 * response, so that drift does not compile.
 */
export function operation<Request, Response>() {
  return <const M extends Members, K extends string>(
    definition: Omit<Operation<M, Response, K>, 'service' | 'door'> &
      Drift<Request, M> &
      Sealing<Request, Response>,
  ): Operation<M, Response, K> => ({ service: 'kms', door: 'signed', ...definition })
}
