/** The answers of `/_trent/who-can` and `/_trent/explain`. docs/why-refused.md describes them. @module */
import { accessText } from '../text/access.ts'

export interface Reason {
  readonly effect: keyof typeof accessText.effects
  readonly policy: keyof typeof accessText.policies
  readonly statement?: string
  readonly source?: string
}

export interface WhoCanPage {
  readonly access: readonly {
    readonly principal: string
    readonly actions: readonly string[]
    readonly by: readonly Reason[]
    readonly bounded?: true
  }[]
  readonly named?: readonly { readonly principal: string; readonly by: Reason }[]
  readonly after?: string
}

export interface Edit {
  readonly edit: string
  readonly in?: { readonly policy: keyof typeof accessText.policies; readonly source?: string }
  readonly statement?: unknown
  readonly label?: string
  readonly grant?: { readonly granteePrincipal?: string; readonly operations: readonly string[] }
  readonly grantId?: string
}

export interface CallExplanation {
  readonly call: {
    readonly eventTime: string
    readonly eventName: string
    readonly requestId: string
    readonly caller: string
    readonly errorCode?: string
    readonly errorMessage?: string
    readonly reasons: readonly (Reason & { readonly action: string })[]
  }
  readonly now?: {
    readonly action: string
    readonly keyArn: string
    readonly decision: 'allow' | 'deny'
    readonly reasons: readonly Reason[]
    readonly change?: readonly Edit[]
    readonly alternatives: readonly (readonly Edit[])[]
  }
  readonly unasked?: string
}

/** One reason in words. */
export function reasonText({ effect, policy, statement, source }: Reason): string {
  const name = accessText.policies[policy]
  if (policy === 'grant') return `the ${name} ${statement ?? ''} allows it`
  const of = source === undefined ? `the ${name}` : `the ${name} (${source})`
  if (effect === 'implicit-deny') return `nothing in ${of} allows it`
  if (statement === undefined) return 'the root user has every permission in its account'
  return `statement “${statement}” of ${of} ${accessText.effects[effect]} it`
}

/** One change in words; a statement to write follows as JSON. */
export function editText(edit: Edit): string {
  const place =
    edit.in === undefined
      ? ''
      : `the ${accessText.policies[edit.in.policy]}${edit.in.source === undefined ? '' : ` (${edit.in.source})`}`
  switch (edit.edit) {
    case 'add-statement':
      return `Add a statement to ${place}:`
    case 'replace-statement':
      return `Replace statement “${edit.label}” of ${place} with:`
    case 'remove-statement':
      return `Remove statement “${edit.label}” of ${place}.`
    case 'revoke-grant':
      return `Revoke the grant ${edit.grantId}.`
    default: {
      const { granteePrincipal = '', operations = [] } = edit.grant ?? {}
      return `Create a grant for ${granteePrincipal}: ${operations.join(', ')}.`
    }
  }
}
