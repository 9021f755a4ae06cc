/** Messages between the grant reader and its thread. @module */
import type { GrantTerms } from '../model/grant-terms.ts'
import type { KeyRef } from '../model/key.ts'
import type { BoundTable } from '../store/bound-rows.ts'
import type { SharedDatabase } from '../store/open.ts'
import type { OpenDeployment } from '../crypto/open-deployment.ts'

export interface GrantThreadSettings {
  readonly database: SharedDatabase
  readonly deployment: OpenDeployment
}

export type GrantThreadOrder =
  | { readonly kind: 'read'; readonly key: KeyRef; readonly grantee: string }
  /** Answers a page: the next one is wanted, or not. */
  | { readonly kind: 'taken'; readonly goOn: boolean }

export type GrantThreadAnswer =
  | { readonly kind: 'page'; readonly page: readonly GrantTerms[] }
  | { readonly kind: 'forged'; readonly table: BoundTable; readonly id: string }
  | { readonly kind: 'read' }
  | { readonly kind: 'failed'; readonly message: string }
