/** The filter of a table of keys: properties with suggestions, and free text. @module */
import type { PropertyFilterProps } from '@cloudscape-design/components/property-filter'
import { keysText } from '../text/keys.ts'
import { cellText } from './key-columns.tsx'
import type { KeyRow } from './key-list.ts'

const { columns } = keysText

const exact = ['=', '!=', ':', '!:'] as const

const properties = [
  'aliases',
  'id',
  'state',
  'type',
  'spec',
  'usage',
  'origin',
  'regionality',
  'store',
  'description',
] as const

/** Tags of the loaded keys, as properties: first the tag's key, then its values. */
const tagPrefix = 'tag:'
/** Suggestions that one menu shows. */
const suggestionsMax = 100
/** Different tag keys that become properties. */
const tagKeysMax = 50

export function filteringProperties(
  rows: readonly KeyRow[],
): PropertyFilterProps.FilteringProperty[] {
  const keys = new Set<string>()
  for (const { tags } of rows) for (const [key] of tags) if (keys.size < tagKeysMax) keys.add(key)
  const named = properties.map((key) => ({
    key,
    propertyLabel: columns[key],
    groupValuesLabel: columns[key],
    operators: [...exact],
    ...(key === 'aliases' || key === 'id' || key === 'description'
      ? { defaultOperator: ':' as const }
      : {}),
  }))
  const tagged = [...keys].toSorted().map((key) => ({
    key: `${tagPrefix}${key}`,
    propertyLabel: key,
    groupValuesLabel: key,
    group: 'tags',
    operators: [...exact],
  }))
  return [...named, ...tagged]
}

/** Values that the loaded keys have for a property, as suggestions for `typed`. */
export function filteringOptions(
  rows: readonly KeyRow[],
  property: string | undefined,
  typed: string,
): PropertyFilterProps.FilteringOption[] {
  if (property === undefined) return []
  const values = new Set<string>()
  const wanted = typed.toLowerCase()
  for (const row of rows) {
    for (const value of valuesOf(row, property)) {
      if (value !== '' && value.toLowerCase().includes(wanted)) values.add(value)
    }
    if (values.size >= suggestionsMax) break
  }
  return [...values].toSorted().map((value) => ({ propertyKey: property, value }))
}

function valuesOf(row: KeyRow, property: string): readonly string[] {
  if (property === 'aliases') return row.aliases.map((name) => name.replace(/^alias\//, ''))
  if (property.startsWith(tagPrefix)) {
    const wanted = property.slice(tagPrefix.length)
    return row.tags.flatMap(([key, value]) => (key === wanted ? [value] : []))
  }
  return [cellText(row, property)]
}

/** Whether a row passes the filter. */
export function passes(row: KeyRow, query: PropertyFilterProps.Query): boolean {
  const each = (token: PropertyFilterProps.Token): boolean => passesToken(row, token)
  return query.operation === 'and' ? query.tokens.every(each) : query.tokens.some(each)
}

function passesToken(row: KeyRow, token: PropertyFilterProps.Token): boolean {
  const { propertyKey, operator, value } = token
  const wanted = String(value).toLowerCase()
  const values = propertyKey === undefined ? freeText(row) : valuesOf(row, propertyKey)
  const contains = values.some((each) => each.toLowerCase().includes(wanted))
  const equals = values.some((each) => each.toLowerCase() === wanted)
  if (operator === '=') return equals
  if (operator === '!=') return !equals
  return operator === '!:' ? !contains : contains
}

/** Free text looks at aliases and ids, as the guides describe. */
function freeText(row: KeyRow): readonly string[] {
  return [...row.aliases, row.id, row.metadata?.Description ?? '']
}
