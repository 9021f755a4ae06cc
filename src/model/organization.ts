/**
 * The organization of an account, as operators configure it: its ids, and the policies that apply
 * to the account.
 * @see https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html
 * @module
 */

export interface Organization {
  /** `o-…` */
  readonly organizationId: string
  /** The account's place in it: `r-ab12/ou-ab12-11111111`. Absent if not configured. */
  readonly unit?: string
  /** Documents by level, from the root to the account. At each level, one of them must allow. */
  readonly serviceControlPolicies: readonly (readonly string[])[]
  /** Documents of all levels. Each of them can deny. */
  readonly resourceControlPolicies: readonly string[]
}

export const organizationIdPattern = '^o-[a-z0-9]{10,32}$'
/** A root and at most five nested units. */
export const unitPattern = '^r-[0-9a-z]{4,32}(?:/ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}){0,5}$'

/** The root, five nested units, and the account. */
export const levelsMax = 7
/** Policies of one kind attached to one level. */
export const policiesOfLevelMax = 5

/** `o-…/r-…/ou-…/`, as in condition keys. */
export function organizationPath({ organizationId, unit }: Organization): string | undefined {
  return unit === undefined ? undefined : `${organizationId}/${unit}/`
}
