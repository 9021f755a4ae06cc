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
  const { reasons, effects } = accessText
  if (policy === 'grant') return reasons.grant(statement ?? '')
  const name = policyName(policy, source)
  if (effect === 'implicit-deny') return reasons.nothing(name)
  if (statement === undefined) return reasons.root
  return reasons.statement(statement, name, effects[effect])
}

/** One change in words; a statement to write follows as JSON. */
export function editText(edit: Edit): string {
  const { edits } = accessText
  const place = edit.in === undefined ? '' : policyName(edit.in.policy, edit.in.source)
  switch (edit.edit) {
    case 'add-statement':
      return edits.add(place)
    case 'replace-statement':
      return edits.replace(edit.label ?? '', place)
    case 'remove-statement':
      return edits.remove(edit.label ?? '', place)
    case 'revoke-grant':
      return edits.revoke(edit.grantId ?? '')
    default: {
      const { granteePrincipal = '', operations = [] } = edit.grant ?? {}
      return edits.grant(granteePrincipal, operations.join(', '))
    }
  }
}

function policyName(policy: keyof typeof accessText.policies, source: string | undefined): string {
  return accessText.policyName(accessText.policies[policy], source)
}
