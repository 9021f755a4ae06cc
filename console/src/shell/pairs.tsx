/** Pairs of a label and a value, in as many columns as there is room for. @module */
import Box from '@cloudscape-design/components/box'
import type { ReactNode } from 'react'

/**
 * Cloudscape's KeyValuePairs are one column until a script has measured their place, which moves what is below
 * them. The style sheet makes the columns of these.
 */
export function Pairs({
  items,
}: {
  readonly items: readonly { readonly label: string; readonly value: ReactNode }[]
}): ReactNode {
  return (
    <dl className="pairs">
      {items.map(({ label, value }) => (
        <div key={label}>
          <dt>
            <Box variant="awsui-key-label">{label}</Box>
          </dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
