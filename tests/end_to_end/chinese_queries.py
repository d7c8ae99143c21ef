"""A small shop's Chinese search log, written for the tests: query, department.

Nouns of each department in frames that shoppers use; the same noun never is in two departments.
"""

import csv
from itertools import product
from pathlib import Path

NOUNS = {
    "手机": ("智能手机", "手机壳", "充电宝", "数据线", "蓝牙耳机", "手机膜", "折叠屏", "快充头"),
    "服装": ("连衣裙", "牛仔裤", "羽绒服", "运动鞋", "衬衫", "毛衣", "短袖T恤", "风衣"),
    "食品": ("坚果礼盒", "牛奶", "方便面", "巧克力", "绿茶", "大米", "橄榄油", "饼干"),
    "家居": ("四件套", "台灯", "收纳箱", "窗帘", "保温杯", "地毯", "枕头", "衣架"),
}
FRAMES = [
    "{}",
    "{} 包邮",
    "便宜的{}",
    "{}推荐",
    "哪个牌子的{}好",
    "2026新款{}",
    "{}怎么选",
    "送妈妈的{}🎁",
    "学生党{}",
    "{} 旗舰店",
]


def write_chinese_queries(path: Path) -> int:
    """Write the log as CSV with the columns 查询 and 部门; return how many rows it has."""
    rows = [
        (frame.format(noun), department)
        for department, nouns in NOUNS.items()
        for noun, frame in product(nouns, FRAMES)
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("查询", "部门"))
        writer.writerows(rows)
    return len(rows)
