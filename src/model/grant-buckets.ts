/**
 * Names of buckets, under which the store files grants so that an index finds those that allow a
 * call. A bucket holds the grants of one key that have the same grantee, allow the same operation,
 * and agree in their source and in one part of their context. A principal is identified only by its
 * unique id, so a grant stays in its buckets when its grantee is renamed. A bucket only proposes
 * grants: each one is then read and compared.
 *
 * The names are stored. If their composition changes, a migration must file all grants again.
 * @see docs/adr/0026-grants-at-scale.md
 * @module
 */
import { hash } from 'node:crypto'
import {
  contextSelectors,
  describeSelector,
  operationNames,
  type AskedTerms,
  type GrantTerms,
} from './grant-terms.ts'

/** 128 bits. If two buckets had the same name, some grants would be proposed in vain. */
const nameCharacters = 22

function bucketName(
  grantee: string,
  terms: Pick<GrantTerms, 'granteeId' | 'own' | 'source'>,
  operation: string,
  selector: string,
): string {
  const { granteeId, own, source } = terms
  const named = granteeId === '' ? grantee : ''
  const parts = [named, granteeId, own ? 'own' : 'other', source, operation, selector]
  return hash('sha256', JSON.stringify(parts), 'base64url').slice(0, nameCharacters)
}

/**
 * The bucket names for each part of the grant's context, one name an operation. The grant is filed
 * under one of these parts.
 */
export function bucketChoices(
  grantee: string,
  terms: GrantTerms,
): readonly [readonly string[], ...(readonly string[])[]] {
  const operations = operationNames(terms.operations)
  const namesFor = (selector: string): readonly string[] =>
    operations.map((operation) => {
      const by = operation === 'DescribeKey' ? describeSelector : selector
      return bucketName(grantee, terms, operation, by)
    })
  const [first, ...others] = contextSelectors(terms)
  return [namesFor(first), ...others.map(namesFor)]
}

/**
 * The buckets that hold every grant that could allow the call. Grants within the grantee's own
 * account come first.
 */
export function* bucketsAsked(
  grantee: string,
  granteeId: string,
  asked: AskedTerms,
): Generator<string> {
  for (const own of [true, false]) {
    for (const source of asked.sources) {
      for (const selector of asked.selectors()) {
        yield bucketName(grantee, { granteeId, own, source }, asked.operation, selector)
      }
    }
  }
}
