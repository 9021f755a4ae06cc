/**
 * The organisation that an account belongs to, as operators say it: its ids, and the policies that hold for
 * the account.
 * @see https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html
 * @module
 */

export interface Organization {
  /** `o-…` */
  readonly organizationId: string
  /** The account's place under it: `r-ab12/ou-ab12-11111111`; absent where nobody said. */
  readonly unit?: string
  /** Documents, level by level from the root to the account: one of each level must allow. */
  readonly serviceControlPolicies: readonly (readonly string[])[]
  /** Documents of all levels: each of them denies. */
  readonly resourceControlPolicies: readonly string[]
}

export const organizationIdPattern = '^o-[a-z0-9]{10,32}$'
/** A root and at most five units under each other. */
export const unitPattern = '^r-[0-9a-z]{4,32}(?:/ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}){0,5}$'

/** The root, five units under each other, and the account. */
export const levelsMax = 7
/** Of a kind, attached to one level. */
export const policiesOfLevelMax = 5

/** `o-…/r-…/ou-…/`, as condition keys have it. */
export function organizationPath({ organizationId, unit }: Organization): string | undefined {
  return unit === undefined ? undefined : `${organizationId}/${unit}/`
}
