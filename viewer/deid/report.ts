/** What was done to one exam, free of anything of the input: safe to send, store and show. */
import { coversOf } from './boxes';
import type { Group, Item } from './items';
import type { Recipe } from './messages';

export function reportOf(study: string, groups: Group[], recipe: Recipe): string {
  const counts: Record<string, number> = {};
  const series = groups.map((group) => ({ group, items: group.items.filter((item) => item.told.study === study) })).filter(({ items }) => items.length);
  for (const { items } of series) for (const { told } of items) for (const [action, count] of Object.entries(told.counts)) counts[action] = (counts[action] ?? 0) + count;
  const report = {
    exam: study,
    recipe: { name: recipe.name, version: recipe.version, digest: recipe.digest },
    made: 'in a browser',
    objects: series.reduce((sum, { items }) => sum + items.length, 0),
    actions: counts,
    series: series.map(({ group, items }) => ({
      uid: items[0]!.told.series,
      kind: items[0]!.told.kind,
      objects: items.length,
      pixels: group.state === 'look' ? 'looked at by a person' : 'unchanged',
      covered: group.state === 'look' ? items.filter((item) => coversOf(group, item.told.instance).length).map((item) => areas(group, item)) : [],
    })),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

function areas(group: Group, item: Item): object {
  return {
    instance: item.told.instance,
    with: group.fill,
    boxes: coversOf(group, item.told.instance).map(({ left, top, right, bottom }) => ({ left, top, right, bottom })),
  };
}
