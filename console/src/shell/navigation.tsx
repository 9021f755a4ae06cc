/** The navigation at the side. @module */
import SideNavigation from '@cloudscape-design/components/side-navigation'
import type { ReactNode } from 'react'
import { text } from '../text/text.ts'
import { useConsole } from './context.ts'
import { goTo, hrefOf, type Place } from './router.ts'
import { screens } from './screens.ts'

export function Navigation({ place }: { readonly place: Place }): ReactNode {
  const { region } = useConsole()
  const shown = screens.filter(({ isHidden }) => isHidden !== true)
  return (
    <SideNavigation
      activeHref={hrefOf(region, place.path.slice(0, 1))}
      header={{ text: text.productLong, href: hrefOf(region, ['overview']) }}
      items={shown.map(({ path, title }) => ({
        type: 'link',
        text: title,
        href: hrefOf(region, [path]),
      }))}
      onFollow={(event) => {
        event.preventDefault()
        goTo(event.detail.href)
      }}
    />
  )
}
