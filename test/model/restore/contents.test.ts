/**
 * test: which entries of an archive make up a part, told from what pg_restore 15 listed of the shop.
 */
import { describe, expect, it } from 'vitest';
import { parseContents, selectEntries, tablesIn, type Ground } from '../../../src/model/restore/contents.js';

const listing = `;
; Archive created at 2026-11-22 14:49:28 UTC
;     TOC Entries: 69
;
3456; 0 0 ENCODING - ENCODING 
6; 2615 16474 SCHEMA - back office postgres
900; 0 0 ACL - SCHEMA back office postgres
;	depends on: 6
858; 1247 16398 DOMAIN public cents postgres
855; 1247 16388 TYPE public order_state postgres
231; 1255 16482 FUNCTION public count_lines() postgres
228; 1259 16475 TABLE back office Notes; DROP TABLE x postgres
;	depends on: 6
216; 1259 16401 TABLE public customers postgres
3461; 0 0 ACL public TABLE customers postgres
;	depends on: 216
215; 1259 16400 SEQUENCE public customers_id_seq postgres
;	depends on: 216
3462; 0 0 SEQUENCE OWNED BY public customers_id_seq postgres
;	depends on: 215
220; 1259 16424 TABLE public orders postgres
;	depends on: 855 855
229; 1259 16503 VIEW public open_orders postgres
;	depends on: 220 220 216 855
221; 1259 16431 TABLE public order_lines postgres
;	depends on: 858
222; 1259 16439 TABLE public visits postgres
223; 1259 16442 TABLE public visits_2024 postgres
;	depends on: 222
3257; 0 0 TABLE ATTACH public visits_2024 postgres
;	depends on: 223 222
3260; 2604 16404 DEFAULT public customers id postgres
;	depends on: 216 215 216
3448; 0 16475 TABLE DATA back office Notes; DROP TABLE x postgres
;	depends on: 228
3437; 0 16401 TABLE DATA public customers postgres
;	depends on: 216
3442; 0 16431 TABLE DATA public order_lines postgres
;	depends on: 221
3441; 0 16424 TABLE DATA public orders postgres
;	depends on: 220
3443; 0 16442 TABLE DATA public visits_2024 postgres
;	depends on: 223
3465; 0 0 SEQUENCE SET public customers_id_seq postgres
;	depends on: 215
3285; 2606 16481 CONSTRAINT back office Notes; DROP TABLE x Notes; DROP TABLE x_pkey postgres
;	depends on: 228
3271; 2606 16410 CONSTRAINT public customers customers_pkey postgres
;	depends on: 216
3277; 2606 16430 CONSTRAINT public orders orders_pkey postgres
;	depends on: 220
3291; 2620 16499 TRIGGER public order_lines count_lines postgres
;	depends on: 231 221
3288; 2606 16489 FK CONSTRAINT public order_lines order_lines_order_id_fkey postgres
;	depends on: 3277 220 221
3287; 2606 16484 FK CONSTRAINT public orders orders_customer_id_fkey postgres
;	depends on: 220 3271 216
`;
const all = parseContents(listing);
const empty: Ground = { empty: true, schemas: ['public'] };
const used: Ground = { empty: false, schemas: ['public', 'back office'] };
const chosen = (seeds: number[], ground: Ground) => selectEntries(all, new Set(seeds), ground).map(({ id }) => id);

describe('the contents of an archive', () => {
  it('are read with kinds of several words, odd names and needs', () => {
    expect(all.find(({ id }) => id === 3288)).toEqual({
      id: 3288,
      kind: 'FK CONSTRAINT',
      text: 'public order_lines order_lines_order_id_fkey postgres',
      needs: [3277, 220, 221],
    });
    expect(all.find(({ id }) => id === 3448)).toMatchObject({ kind: 'TABLE DATA', text: 'back office Notes; DROP TABLE x postgres' });
    expect(all.find(({ id }) => id === 231)).toMatchObject({ kind: 'FUNCTION' });
    expect(all).toHaveLength(listing.split('\n').filter((line) => /^\d/.test(line)).length);
  });

  it.each<[string, number[], Ground, number[]]>([
    ['a table with its sequence, default, key and grants', [216, 3437, 3461], used, [216, 3461, 215, 3462, 3260, 3437, 3465, 3271]],
    ['not the foreign keys that point at it', [220], used, [220, 3441, 3277, 3287]],
    ['its own foreign keys and triggers', [221], used, [221, 3442, 3291, 3288]],
    ['into nothing: with its type, without keys to what is not there', [220], empty, [855, 220, 3441, 3277]],
    ['into nothing: with the function of its trigger', [221], empty, [858, 231, 221, 3442, 3291]],
    ['into nothing: with keys to what is there too', [221, 220], empty, [858, 855, 231, 220, 221, 3442, 3441, 3277, 3291, 3288]],
    ['a partitioned table with its partitions', [222], used, [222, 223, 3257, 3443]],
    ['a partition without the table it is part of', [223], used, [223, 3257, 3443]],
    ['a schema that is missing, with its grants', [228], { empty: false, schemas: ['public', 'back'] }, [6, 900, 228, 3448, 3285]],
    ['no schema that is there', [228], used, [228, 3448, 3285]],
    ['nothing for nothing', [], empty, []],
  ])('%s', (_what, seeds, ground, expected) => {
    expect(chosen(seeds, ground)).toEqual(expected);
  });

  it('tell which tables were filled, the longest name first', () => {
    const table = (schema: string, name: string) => ({ schema, name });
    const tables = [
      table('public', 'orders'),
      table('public', 'orders old'),
      table('back office', 'Notes; DROP TABLE x'),
      table('a', 'b\nc'),
    ];
    expect(tablesIn(all, tables)).toEqual([tables[0], tables[2]]);
    const old = parseContents('1; 0 1 TABLE DATA public orders old postgres\n2; 0 2 TABLE DATA a b c postgres\n');
    expect(tablesIn(old, tables)).toEqual([tables[1], tables[3]]);
  });
});
