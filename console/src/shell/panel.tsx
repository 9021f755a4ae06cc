/** A part of a screen in a box, with its title. @module */
import Container from '@cloudscape-design/components/container'
import Header from '@cloudscape-design/components/header'
import type { ReactNode } from 'react'

export function Panel(props: {
  readonly title: string
  readonly hint?: string
  readonly actions?: ReactNode
  readonly variant?: 'h2' | 'h3'
  readonly children: ReactNode
}): ReactNode {
  const { title, hint, actions, variant = 'h2', children } = props
  return (
    <Container
      header={
        <Header variant={variant} description={hint} actions={actions}>
          {title}
        </Header>
      }
    >
      {children}
    </Container>
  )
}
