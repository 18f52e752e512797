"""Words a government terminal in Foshan must know: places, surnames, the words of its own forms. Listed by hand.

Places: the five districts of Foshan with their towns and subdistricts (行政区划, names as published by 民政部),
well-known streets, and the cities of Guangdong. Surnames: the common ones and those that Guangdong is known for,
with their surname reading where it differs from the everyday one.
"""

from __future__ import annotations

PLACES = """
佛山 佛山市 禅城 禅城区 南海 南海区 顺德 顺德区 三水 三水区 高明 高明区
祖庙 祖庙街道 石湾 石湾镇街道 张槎 张槎街道 南庄 南庄镇
桂城 桂城街道 九江 九江镇 西樵 西樵镇 丹灶 丹灶镇 狮山 狮山镇 大沥 大沥镇 里水 里水镇
大良 大良街道 容桂 容桂街道 伦教 伦教街道 勒流 勒流街道 陈村 陈村镇 北滘 北滘镇 乐从 乐从镇 龙江 龙江镇
杏坛 杏坛镇 均安 均安镇 西南 西南街道 云东海 云东海街道 芦苞 芦苞镇 大塘 大塘镇 乐平 乐平镇 白坭 白坭镇
南山镇 荷城 荷城街道 杨和 杨和镇 明城 明城镇 更合 更合镇
季华 季华路 季华一路 季华二路 季华三路 季华四路 季华五路 季华六路 季华七路 汾江 汾江路 汾江中路 汾江南路
岭南大道 佛山大道
魁奇路 同济路 文华路 绿景路 南桂路 桂澜路 海五路 海八路 佛平路 亲仁路 卫国路 城门头 普澜 普君 普君市场 东平
东平新城
千灯湖 灯湖 夏教 平洲 盐步 黄岐 罗村 小塘 官窑 和顺 松岗 桂畔 凤岭 德胜 南国 东乐 新宁 容奇 世纪莲 梁园 石梁
朝安 澜石 环湖 湖景 湾华
广东 广东省 广州 广州市 深圳 深圳市 珠海 珠海市 汕头 汕头市 韶关 韶关市 河源 河源市 梅州 梅州市 惠州 惠州市 汕尾
汕尾市
东莞 东莞市 中山 中山市 江门 江门市 阳江 阳江市 湛江 湛江市 茂名 茂名市 肇庆 肇庆市 清远 清远市 潮州 潮州市 揭阳
揭阳市 云浮 云浮市
荔湾区 越秀区 海珠区 天河区 白云区 黄埔区 番禺区 花都区 南沙区 增城区 从化区 番禺 花都 增城 从化
社区 居委会 村委会 村民小组 花园 大厦 公寓 小区 大道 中路 北路 南路 东路 西路
""".split()  # noqa: SIM905 (two hundred words read better so)

OFFICE = """
居住证 居住登记 身份证 身份证号 社保卡 社保 医保 公积金 参保 参保证明 缴费 缴费证明 签注 申领 补领 换领 续签
到期 受理 回执 办件 证照
营业执照 个体户 租赁合同 租房合同 房产证 不动产 户口 户口本 户口簿 出生证明 结婚证 离婚证 驾驶证 行驶证 务工
就业 就学 参保人 用人单位
咨询 投诉 建议 求助 路灯 噪音 占道 停车 停水 停电 垃圾 下水道 井盖 漏水 我想 我要 我家 请问 怎么办理 什么时候
需要什么 材料 办理 工作人员
本人 配偶 父亲 母亲 儿子 女儿 子女 监护人 联系人 联系电话 手机号 有限公司 分公司 幼儿园 小学 中学 医院 卫生站
市场 派出所
""".split()  # noqa: SIM905 (two hundred words read better so)

PLACE_READINGS = {
    "北滘": "bei jiao",
    "北滘镇": "bei jiao zhen",
    "大沥": "da li",
    "大沥镇": "da li zhen",
    "勒流": "le liu",
    "勒流街道": "le liu jie dao",
    "番禺": "pan yu",
    "番禺区": "pan yu qu",
    "东莞": "dong guan",
    "东莞市": "dong guan shi",
    "大塘": "da tang",
    "大塘镇": "da tang zhen",
    "乐从": "le cong",
    "乐从镇": "le cong zhen",
    "乐平": "le ping",
    "乐平镇": "le ping zhen",
    "更合": "geng he",
    "更合镇": "geng he zhen",
    "禅城": "chan cheng",
    "禅城区": "chan cheng qu",
    "南海": "nan hai",
    "张槎": "zhang cha",
    "张槎街道": "zhang cha jie dao",
    "白坭": "bai ni",
    "白坭镇": "bai ni zhen",
    "大道": "da dao",
}
"""Places whose reading is local or ambiguous."""

SURNAMES = """
王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 林 高 罗 郑 梁 谢 宋 唐 许 邓 冯 韩 曹 曾 彭 萧 肖 蔡 潘 田
董 袁 于 余 叶 蒋 杜 苏 魏
程 吕 丁 沈 任 姚 卢 傅 钟 姜 崔 谭 廖 范 汪 陆 金 石 戴 贾 韦 夏 邱 方 侯 邹 熊 孟 秦 白 江 阎 薛 尹 段 雷 黎
史 龙 陶 贺 顾 毛 郝 龚 邵
万 钱 严 覃 武 戚 莫 孔 向 汤 温 康 施 文 牛 樊 葛 邢 安 齐 易 乔 伍 庞 颜 倪 庄 聂 章 鲁 岳 翟 殷 詹 申 欧 耿
关 兰 焦 俞 左 柳 甘 祝 包
宁 尚 符 舒 阮 柯 纪 梅 童 凌 毕 裴 霍 涂 成 苗 谷 盛 曲 翁 冉 骆 蓝 路 游 辛 靳 管 柴 蒙 鲍 华 喻 祁 蒲 房 滕
屈 饶 牟 艾 尤 阳 时 穆 农
司 古 吉 卓 缪 简 车 项 连 芦 麦 褚 娄 窦 岑 景 党 宫 费 卜 冷 晏 席 卫 米 柏 宗 瞿 桂 全 佟 应 臧 闵 苟 邬 边
卞 姬 师 和 仇 栾 隋 商 刁
沙 荣 巫 寇 桑 郎 甄 丛 仲 虞 敖 巩 明 佘 池 查 麻 苑 迟 邝 冼 区 利 招 霞 植 陀 幸 练 布 劳 黄 单 解 冼 邓 关
何 潘 植 岑 欧阳 上官 司徒
司马 诸葛 夏侯 东方 皇甫 尉迟 公孙 慕容 令狐 宇文 长孙 端木 南宫 独孤 万俟 轩辕 钟离 司空 呼延 闻人 申屠 淳于
单于
""".split()  # noqa: SIM905 (two hundred words read better so)

SURNAME_READINGS = {
    "区": "ou",
    "单": "shan",
    "解": "xie",
    "仇": "qiu",
    "查": "zha",
    "曾": "zeng",
    "覃": "qin",
    "任": "ren",
    "冼": "xian",
    "邝": "kuang",
    "佘": "she",
    "翟": "zhai",
    "盖": "ge",
    "尉迟": "yu chi",
    "万俟": "mo qi",
    "单于": "chan yu",
    "令狐": "ling hu",
    "长孙": "zhang sun",
    "瞿": "qu",
    "卜": "bu",
    "缪": "miao",
    "臧": "zang",
    "宁": "ning",
    "牟": "mu",
    "费": "fei",
    "华": "hua",
    "应": "ying",
    "乐": "yue",
}
