/** The screen that the address names, while it loads, and when it fails. @module */
import Alert from '@cloudscape-design/components/alert'
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import Header from '@cloudscape-design/components/header'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Spinner from '@cloudscape-design/components/spinner'
import { Component, type ReactNode, Suspense, useEffect } from 'react'
import { text } from '../text/text.ts'
import type { Place } from './router.ts'
import { detailScreens, screens } from './screens.ts'

export function Screen({ place }: { readonly place: Place }): ReactNode {
  const [first = ''] = place.path
  const screen = screens.find(({ path }) => path === first)
  const title = screen?.title ?? text.unknownPlace
  useEffect(() => {
    document.title = `${title} · ${text.product}`
  }, [title])
  if (screen === undefined) {
    if (first === '') return null
    return (
      <SpaceBetween size="m">
        <Header variant="h1">{text.unknownPlace}</Header>
        <Alert type="info">{text.unknownPlaceHint}</Alert>
      </SpaceBetween>
    )
  }
  const isDetail = place.path.length > 1
  const Shown = (isDetail ? detailScreens[first] : undefined) ?? screen.show
  return (
    <Broken key={isDetail ? 'detail' : first}>
      <Suspense fallback={<Loading />}>
        <Shown place={place} />
      </Suspense>
    </Broken>
  )
}

export function Loading(): ReactNode {
  return (
    <Box padding="xxl" textAlign="center" color="text-body-secondary">
      <Spinner /> {text.loading}
    </Box>
  )
}

/** Keeps the frame when a screen fails: a chunk of an older build is gone, or a bug. */
class Broken extends Component<{ readonly children: ReactNode }, { readonly error?: unknown }> {
  override state: { readonly error?: unknown } = {}

  static getDerivedStateFromError(error: unknown): { readonly error: unknown } {
    return { error }
  }

  override render(): ReactNode {
    const { error } = this.state
    if (error === undefined) return this.props.children
    const message = error instanceof Error ? error.message : text.updated
    return (
      <Alert
        type="error"
        header={text.updated}
        action={<Button onClick={() => location.reload()}>{text.reload}</Button>}
      >
        {message}
      </Alert>
    )
  }
}
