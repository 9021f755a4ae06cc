/** Dependencies of the caches. @module */
import type { KeyObject } from 'node:crypto'
import type { CompiledPolicy } from '../policy/compile.ts'
import type { AccessKeyRecord } from '../model/access-key.ts'
import type { CustomKeyStoreRecord } from '../model/custom-key-store.ts'
import type { ProxyCredentialRecord } from '../model/served-proxy.ts'
import type { ServiceRecord } from '../model/service.ts'
import type { Store } from '../store/store.ts'
import type {
  CachedAccount,
  CachedGroup,
  CachedPolicy,
  CachedRole,
  CachedUser,
} from './cached-records.ts'
import type { ReadGrants } from './read-grants.ts'

export interface LookupDependencies {
  readonly store: Store
  /** Number of keys that the caches have room for. */
  readonly cachedKeys: number
  readonly openSecret: (accessKey: AccessKeyRecord) => KeyObject
  readonly openServiceSecret: (service: ServiceRecord) => KeyObject
  readonly openProxySecret: (store: CustomKeyStoreRecord, accessKeyId: string) => KeyObject
  readonly openProxyCredential: (credential: ProxyCredentialRecord) => KeyObject
  readonly compile: (policy: string) => CompiledPolicy
  readonly findAccount: (accountId: string) => Promise<CachedAccount | undefined>
  readonly findUser: (userId: string) => Promise<CachedUser | undefined>
  readonly findRole: (roleId: string) => Promise<CachedRole | undefined>
  readonly findGroup: (groupId: string) => Promise<CachedGroup | undefined>
  readonly findManagedPolicy: (policyId: string) => Promise<CachedPolicy | undefined>
  readonly readGrants: ReadGrants
  /** Called when grants could not be read, or a question about them was given up. */
  readonly onGrantsFailed: (error: Error) => void
  /** Called when a material changed; without an id, all of them. */
  readonly onForgottenMaterial: (materialId?: string) => void
}
