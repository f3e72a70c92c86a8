import { Button, Checkbox, Group, Menu, Select, Table, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { locale, t, tenantNow, useLanguage } from '@premia/ui';
import { useEffect, useState, type ReactNode } from 'react';
import { Link, useSearchParams } from 'wouter';
import { Bones, Empty, Failed, Wide, told, useGuard } from './parts.tsx';

export type Column<Row> = { key: string; word: string; show: (row: Row) => ReactNode; number?: boolean; hidden?: boolean; /** The server sorts by it. */ sorts?: boolean };
export type Filter = { name: string; word: string; options?: readonly { value: string; label: string }[]; kind?: 'text' | 'day' };
export type ListProps<Row> = {
  name: string; columns: readonly Column<Row>[]; filters?: readonly Filter[]; ask: (page: Record<string, string>) => Promise<{ rows: readonly Row[]; next: string | null }>; keyOf: (row: Row) => string;
  to?: (row: Row) => string; file?: string; empty: ReactNode; emptyAction?: ReactNode; fixed?: Record<string, string>; lastColumn?: (row: Row) => ReactNode;
};

/** Every list of the console: search, filters in the URL, cursor pages, chosen columns, export, and the five faces. */
export function DataTable<Row>({ name, columns, filters = [], ask, keyOf, to, file, empty, emptyAction, fixed = {}, lastColumn }: ListProps<Row>) {
  const language = useLanguage();
  const [params, setParams] = useSearchParams();
  const kept = `premia.columns.${name}`;
  const [hidden, setHidden] = useState<readonly string[]>(() => { const saved = localStorage.getItem(kept); return saved === null ? columns.filter((column) => column.hidden).map((column) => column.key) : JSON.parse(saved) as string[]; });
  const page = { ...Object.fromEntries([...params].filter(([key]) => key === 'after' || key === 'sort' || filters.some((filter) => filter.name === key))), ...fixed };
  const found = useQuery({ queryKey: ['list', name, tenantNow(), page, language], queryFn: () => ask(page) });
  const filtered = filters.some((filter) => params.get(filter.name));
  const shown = columns.filter((column) => !hidden.includes(column.key));
  const set = (changes: Record<string, string | null>): void => setParams((old) => { const next = new URLSearchParams(old); for (const [key, value] of Object.entries(changes)) { if (value === null || value === '') next.delete(key); else next.set(key, value); } return next; });
  const hide = (key: string): void => { const next = hidden.includes(key) ? hidden.filter((item) => item !== key) : [...hidden, key]; setHidden(next); localStorage.setItem(kept, JSON.stringify(next)); };
  return (
    <section aria-label={name} className="list">
      <Group gap="xs" mb="xs" align="flex-end">
        {filters.map((filter) => (filter.options
          ? <Select key={filter.name} label={filter.word} size="sm" w={180} clearable clearButtonProps={{ 'aria-label': t('Wyczyść', 'Clear') }} data={[...filter.options]} value={params.get(filter.name)} onChange={(value) => set({ [filter.name]: value, after: null })} />
          : <Typed key={filter.name} filter={filter} value={params.get(filter.name) ?? ''} change={(value) => set({ [filter.name]: value, after: null })} />))}
        <Group gap="xs" ml="auto">
          <Menu closeOnItemClick={false}><Menu.Target><Button variant="default" size="sm">{t('Kolumny', 'Columns')}</Button></Menu.Target><Menu.Dropdown>{columns.map((column) => <Menu.Item key={column.key} component="div"><Checkbox label={column.word} checked={!hidden.includes(column.key)} onChange={() => hide(column.key)} /></Menu.Item>)}</Menu.Dropdown></Menu>
          {file === undefined ? null : <Export file={file} page={page} columns={shown} />}
        </Group>
      </Group>
      {found.isPending ? <Bones /> : found.isError ? <Failed error={found.error} again={() => void found.refetch()} /> : found.data.rows.length === 0 ? (
        filtered ? <Empty action={<Button variant="default" onClick={() => set(Object.fromEntries([...filters.map((filter) => [filter.name, null]), ['after', null]]))}>{t('Wyczyść filtry', 'Clear filters')}</Button>}>{t('Nic nie pasuje do tych filtrów.', 'Nothing matches these filters.')}</Empty> : <Empty action={emptyAction}>{empty}</Empty>
      ) : (
        <>
          <Wide least={Math.min(900, shown.length * 130)}><Table highlightOnHover verticalSpacing={8} className="rows">
            <Table.Thead><Table.Tr>{shown.map((column) => { const sort = params.get('sort'); const now = sort === column.key ? 'ascending' : sort === `-${column.key}` ? 'descending' : 'none'; return <Table.Th key={column.key} className={column.number ? 'number' : ''} {...(column.sorts ? { 'aria-sort': now } : {})}>{column.sorts ? <button type="button" className="sorter" onClick={() => set({ sort: now === 'ascending' ? `-${column.key}` : now === 'descending' ? null : column.key, after: null })}>{column.word}<span aria-hidden="true">{now === 'ascending' ? ' ↑' : now === 'descending' ? ' ↓' : ''}</span></button> : column.word}</Table.Th>; })}{lastColumn ? <Table.Th><span className="visually-hidden">{t('Działania', 'Actions')}</span></Table.Th> : null}</Table.Tr></Table.Thead>
            <Table.Tbody>{found.data.rows.map((row) => <Table.Tr key={keyOf(row)}>{shown.map((column, index) => <Table.Td key={column.key} className={column.number ? 'number' : ''}>{index === 0 && to ? <Link href={to(row)}>{column.show(row)}</Link> : column.show(row)}</Table.Td>)}{lastColumn ? <Table.Td className="number">{lastColumn(row)}</Table.Td> : null}</Table.Tr>)}</Table.Tbody>
          </Table></Wide>
          {params.get('after') !== null || found.data.next !== null ? <Group justify="flex-end" mt="xs">{params.get('after') === null ? null : <Button variant="default" size="compact-md" onClick={() => set({ after: null })}>{t('Na początek', 'To the first page')}</Button>}{found.data.next === null ? null : <Button variant="default" size="compact-md" onClick={() => set({ after: found.data.next })}>{t('Następna strona', 'Next page')}</Button>}</Group> : null}
        </>
      )}
    </section>
  );
}

const TYPING_MS = 300;
function Typed({ filter, value, change }: { filter: Filter; value: string; change: (value: string) => void }) {
  const [text, setText] = useState(value);
  useEffect(() => { setText(value); }, [value]);
  useEffect(() => { if (text === value) return undefined; const soon = setTimeout(() => change(text), TYPING_MS); return () => clearTimeout(soon); }, [text]);
  return <TextInput label={filter.word} size="sm" w={filter.kind === 'day' ? 150 : 220} type={filter.kind === 'day' ? 'date' : 'search'} value={text} onChange={(event) => setText(event.currentTarget.value)} />;
}

/** The list as it is filtered, with the columns that are shown, as a file. */
function Export<Row>({ file, page, columns }: { file: string; page: Record<string, string>; columns: readonly Column<Row>[] }) {
  const { failed } = useGuard();
  const [busy, setBusy] = useState(false);
  const save = async (format: 'csv' | 'xlsx'): Promise<void> => {
    setBusy(true);
    try {
      const { after: _, ...filters } = page;
      const query = new URLSearchParams({ ...filters, columns: columns.map((column) => `${column.key}:${column.word.replaceAll(/[,:]/g, ' ')}`).join(',') });
      const answer = await fetch(`${file}.${format}?${query}`, { headers: { 'accept-language': locale(), 'x-premia-tenant': tenantNow() ?? '' } });
      if (!answer.ok) throw new Error(String(answer.status));
      const url = URL.createObjectURL(await answer.blob());
      Object.assign(document.createElement('a'), { href: url, download: `${file.split('/').at(-1)}.${format}` }).click();
      URL.revokeObjectURL(url);
      told(t('Plik gotowy.', 'The file is ready.'));
    } catch (error) { failed(error); }
    setBusy(false);
  };
  return <Menu><Menu.Target><Button variant="default" size="sm" loading={busy}>{t('Eksport', 'Export')}</Button></Menu.Target><Menu.Dropdown><Menu.Item onClick={() => void save('csv')}>CSV</Menu.Item><Menu.Item onClick={() => void save('xlsx')}>XLSX</Menu.Item></Menu.Dropdown></Menu>;
}
