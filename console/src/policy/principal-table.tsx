/** A table of users and roles to choose from. @module */
import type { ReactNode } from 'react'
import { useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { ListTable } from '../shell/list-table.tsx'
import { policyText } from '../text/policy.ts'
import { listPrincipals, type Principal } from './principals.ts'

const words = policyText.principals

export function PrincipalTable({
  label,
  chosen,
  onChange,
  exclude = [],
}: {
  readonly label: string
  /** ARNs. */
  readonly chosen: readonly string[]
  readonly onChange: (chosen: readonly string[]) => void
  /** ARNs that are not offered. */
  readonly exclude?: readonly string[]
}): ReactNode {
  const { aws, region } = useConsole()
  const { asked, again } = useAsked('principals', () => listPrincipals(aws, region))
  const all = asked.state === 'here' ? asked.value : []
  const offered = all.filter(({ arn }) => !exclude.includes(arn))
  if (asked.state === 'failed') {
    return <Failed error={asked.error} title={words.failed} again={again} />
  }
  const known = new Map(all.map((principal) => [principal.arn, principal]))
  // What the table does not know, for example a principal of another account, stays chosen.
  const unknown = chosen.filter((arn) => !known.has(arn))
  return (
    <ListTable<Principal>
      title={label}
      variant="embedded"
      wrapLines
      items={offered}
      trackBy="arn"
      pageSize={10}
      loading={asked.state === 'loading'}
      empty={words.empty}
      filter={{
        label: words.find,
        textOf: ({ arn, type }) => `${arn} ${words[type]}`,
      }}
      choosing={{
        type: 'multi',
        chosen: chosen.flatMap((arn) => known.get(arn) ?? []),
        onChange: (now) => onChange([...unknown, ...now.map(({ arn }) => arn)]),
        nameOf: ({ name }) => name,
      }}
      columns={[
        {
          id: 'name',
          header: words.name,
          cell: ({ name }) => name,
          sortingField: 'name',
          isRowHeader: true,
        },
        { id: 'path', header: words.path, cell: ({ path }) => path, sortingField: 'path' },
        {
          id: 'type',
          header: words.type,
          cell: ({ type }) => words[type],
          sortingField: 'type',
          minWidth: 100,
        },
      ]}
    />
  )
}
