/**
 * The permissions of explanations that an account asks for itself. Their prefix is `console:`, because no
 * policy of a user gives an action of `trent:`.
 * @module
 */
import type { Permission } from '../contract/operation.ts'

/**
 * An explanation quotes identity policies and names users and roles. AWS gives all of these at once to
 * whoever has this permission, so nobody learns more by an explanation.
 */
export const readsIdentities: Permission = { action: 'iam:GetAccountAuthorizationDetails' }
