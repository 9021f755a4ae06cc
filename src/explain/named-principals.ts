/**
 * The principals that a key's policy and grants name but that have no row in the store: sessions by
 * name, federated users, identity providers, services, everyone. Their permissions depend on more than
 * the store holds.
 * @module
 */
import { readPolicy } from '../policy/validate.ts'
import type { NamedPrincipal } from '../operations/contract/access-questions.ts'
import { parseArn } from '../model/arn.ts'
import { granteeOf } from '../model/grant.ts'
import type { KeyRecord } from '../model/key.ts'
import type { PolicyPrincipal } from '../policy/document.ts'
import type { Store } from '../store/store.ts'
import { compilePolicy } from '../policy/compile.ts'
import { mayCoverAction } from '../policy/findings.ts'
import { newWork } from '../policy/work.ts'

/** Grants that are read. A key has at most fifty thousand. */
const grantsMax = 1000
const pageMax = 100

export async function namedPrincipals(
  key: KeyRecord,
  actions: readonly string[],
  store: Pick<Store, 'listGrants'>,
): Promise<readonly NamedPrincipal[]> {
  return [...namedByPolicy(key, actions), ...(await namedByGrants(key, actions, store))]
}

function namedByPolicy({ policy }: KeyRecord, actions: readonly string[]): NamedPrincipal[] {
  const result = readPolicy(policy, 'key')
  if (!result.ok) return []
  const compiled = compilePolicy(policy, 'key').statements
  const work = newWork()
  return result.document.statements.flatMap(({ effect, principals }, index) => {
    const statement = compiled[index]
    if (effect === 'Deny' || statement === undefined) return []
    if (!actions.some((action) => mayCoverAction(statement, action, work))) return []
    const by = { effect: 'allow', policy: 'resource', statement: statement.label } as const
    return (principals?.entries ?? []).flatMap((entry) => {
      const principal = nameOf(entry)
      return principal === undefined ? [] : [{ principal, by }]
    })
  })
}

function nameOf(entry: PolicyPrincipal): string | undefined {
  if (entry.kind === 'everyone') return '*'
  if (entry.kind === 'service' || entry.kind === 'federated') return entry.name
  return entry.kind === 'session' || entry.kind === 'federated-user' ? entry.arn : undefined
}

async function namedByGrants(
  key: KeyRecord,
  actions: readonly string[],
  store: Pick<Store, 'listGrants'>,
): Promise<readonly NamedPrincipal[]> {
  const named: NamedPrincipal[] = []
  let after: string | undefined
  for (let seen = 0; seen < grantsMax; seen += pageMax) {
    const grants = await store.listGrants(key, {
      limit: pageMax,
      ...(after !== undefined && { after }),
    })
    for (const grant of grants) {
      const principal = granteeOf(grant)
      const gives = grant.operations.some((operation) => actions.includes(`kms:${operation}`))
      const { service, resource = '' } = parseArn(principal) ?? {}
      const listed = service === 'iam' && /^(?:root$|user\/|role\/)/.test(resource)
      const by = { effect: 'allow', policy: 'grant', statement: grant.grantId } as const
      if (gives && !listed) named.push({ principal, by })
    }
    after = grants.at(-1)?.grantId
    if (grants.length < pageMax) break
  }
  return named
}
