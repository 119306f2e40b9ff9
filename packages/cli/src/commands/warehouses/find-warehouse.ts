/** The warehouse that a command is about: by its id or its name, which no two have. */
import type { Client } from '@headrace/api';

/** More warehouses than a person names by hand. */
const pagesMax = 50;

export async function findWarehouseId(client: Client, text: string): Promise<string> {
  for (let page_token = '', pages = 0; pages < pagesMax; pages += 1) {
    const page = await client.warehousesList({ page_token });
    const found = page.warehouses.find(
      ({ id, name }) => id === text || name.toLowerCase() === text.toLowerCase(),
    );
    if (found) return found.id;
    if (!page.next_page_token) break;
    page_token = page.next_page_token;
  }
  // The server has the words for an unknown one.
  return text;
}
